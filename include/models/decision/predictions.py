"""Predictions of a model for a batch of products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from include.schema import PROBABILITY, Decision, Modality

MODALITIES: tuple[Modality, ...] = ("text", "photo", "fusion", "none")
"""What a prediction can rest on; a row's modality is kept as a position in this list."""


@dataclass(frozen=True, eq=False)
class Grounds:
    """What the predictions of n products rest on, by input."""

    text: np.ndarray
    """float32 (n, k): probabilities by the text alone; rows where `has_text` is False do not count."""
    has_text: np.ndarray
    """bool (n,)"""
    photo: np.ndarray
    """float32 (n, k): probabilities by the photo alone; rows where `has_photo` is False do not count."""
    has_photo: np.ndarray
    """bool (n,)"""
    needed: np.ndarray
    """float32 (n,): confidence from which the label is accepted; `calibration.NEVER` where it never is."""


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
    grounds: Grounds | None = None
    """What they rest on; None for predictions that were not made by a decision policy."""

    def __post_init__(self) -> None:
        for name in ("is_unfamiliar", "is_contradicted"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(len(self.probabilities), dtype=bool))

    def __len__(self) -> int:
        return len(self.probabilities)

    def take(self, rows: np.ndarray) -> Predictions:
        """The predictions of some products, by position, without their grounds."""
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
        return label_lists(self.label_names, order, np.take_along_axis(self.probabilities, order, axis=1))


def label_lists(
    names: Sequence[str], positions: np.ndarray, probabilities: np.ndarray, is_absent: np.ndarray | None = None
) -> pa.ListArray:
    """Labels with their probabilities, as lists of `schema.PROBABILITY`, from positions in `names`, (n, count).

    The list of a row where `is_absent`, bool (n,), is null.
    """
    rows, count = positions.shape
    labels = pa.DictionaryArray.from_arrays(pa.array(positions.ravel(), pa.int32()), pa.array(names, pa.string()))
    pairs = pa.StructArray.from_arrays(
        [labels.cast(pa.string()), pa.array(probabilities.ravel(), pa.float32())], fields=list(PROBABILITY)
    )
    offsets = pa.array(np.arange(rows + 1) * count, pa.int32())
    return pa.ListArray.from_arrays(offsets, pairs, mask=None if is_absent is None else pa.array(is_absent))


def likeliest(probabilities: np.ndarray, count: int) -> np.ndarray:
    """int64 (n, at most count): positions of the largest of float32 (n, k), in descending order.

    A few times faster than sorting all of them.
    """
    left, rows = probabilities.copy(), np.arange(len(probabilities))
    found = np.empty((len(left), min(count, left.shape[1])), dtype=np.int64)
    for number in range(found.shape[1]):
        found[:, number] = left.argmax(axis=1)
        left[rows, found[:, number]] = -np.inf
    return found
