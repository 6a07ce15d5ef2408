"""Predictions of a model for a batch of products."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from include.schema import PROBABILITY, Decision, Modality

MODALITIES: tuple[Modality, ...] = ("text", "photo", "fusion", "none")
"""What a prediction can rest on; a row's modality is kept as a position in this list."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Calibrated probabilities of n products over the model's k labels, and the decisions based on them."""

    label_names: tuple[str, ...]
    probabilities: np.ndarray
    """float32 (n, k), rows summing to 1."""
    modality_index: np.ndarray
    """int64 (n,): position in `MODALITIES`."""
    is_accepted: np.ndarray
    """bool (n,): whether the product is familiar and the confidence reaches the threshold of its modality and label."""
    is_unfamiliar: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """bool (n,): unlike the training products, and therefore for review; all False unless given."""
    is_contradicted: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """bool (n,): labelled otherwise by a written rule, and therefore for review; all False unless given."""

    def __post_init__(self) -> None:
        for name in ("is_unfamiliar", "is_contradicted"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(len(self.probabilities), dtype=bool))

    def __len__(self) -> int:
        return len(self.probabilities)

    def take(self, rows: np.ndarray) -> Predictions:
        """The predictions of some products, by position."""
        return Predictions(
            self.label_names,
            self.probabilities[rows],
            self.modality_index[rows],
            self.is_accepted[rows],
            self.is_unfamiliar[rows],
            self.is_contradicted[rows],
        )

    @cached_property
    def label_index(self) -> np.ndarray:
        """int64 (n,): the likeliest label's position in `label_names`."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def labels(self) -> list[str]:
        """The likeliest label of each product."""
        return [self.label_names[index] for index in self.label_index.tolist()]

    @property
    def confidences(self) -> np.ndarray:
        """float32 (n,): the likeliest label's probability."""
        return np.asarray(self.probabilities.max(axis=1, initial=0.0))

    @property
    def decisions(self) -> list[Decision]:
        """`accepted` or `review` for each product."""
        return ["accepted" if accepted else "review" for accepted in self.is_accepted.tolist()]

    @property
    def modalities(self) -> list[Modality]:
        """What each prediction rests on: `text`, `photo`, `fusion`, or `none` (nothing but the label's frequency)."""
        return [MODALITIES[index] for index in self.modality_index.tolist()]

    def top_labels(self, count: int) -> pa.ListArray:
        """The `count` likeliest labels of each product, in descending order, as lists of `schema.PROBABILITY`."""
        count = min(count, len(self.label_names))
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]
        names = pa.DictionaryArray.from_arrays(
            pa.array(order.ravel(), pa.int32()), pa.array(self.label_names, pa.string())
        ).cast(pa.string())
        values = pa.array(np.take_along_axis(self.probabilities, order, axis=1).ravel(), pa.float32())
        pairs = pa.StructArray.from_arrays([names, values], fields=list(PROBABILITY))
        offsets = pa.array(np.arange(len(self) + 1) * count, pa.int32())
        return pa.ListArray.from_arrays(offsets, pairs)
