"""The reference profile of a model: drift statistics of its training products, which later batches are compared with.

They are computed from out-of-fold predictions, since products of later batches are not trained on either. The profile
is a separate file in the model's folder; a model without one labels as any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from include.models.decision.predictions import Predictions
from include.models.monitoring.drift_statistics import DriftStatistics

PROFILE_FILE = "reference_profile.npz"


@dataclass(frozen=True, eq=False)
class ReferenceProfile:
    """Drift statistics of the training products, by source."""

    label_names: tuple[str, ...]
    """The model's labels, in the order of the counts."""
    by_source: Mapping[str, DriftStatistics]

    @classmethod
    def of(
        cls,
        sources: Sequence[str],
        predictions: Predictions,
        has_photo: np.ndarray,
        text_vectors: np.ndarray,
        has_text: np.ndarray,
        image_vectors: np.ndarray,
    ) -> ReferenceProfile:
        """The profile of n training products, from the source and the out-of-fold prediction of each.

        `text_vectors` float32 (n, d) and `image_vectors` float32 (n, e) are embeddings by the encoders of the model;
        `has_text` and `has_photo`, bool (n,), say which rows count.
        """
        texts = np.where(has_text[:, None], text_vectors, np.nan)
        photos = np.where(has_photo[:, None], image_vectors, np.nan)
        source_of_row = np.array(sources)
        by_source = {}
        for source in sorted(set(sources)):
            rows = np.flatnonzero(source_of_row == source)
            by_source[source] = DriftStatistics.of(predictions.take(rows), ~has_photo[rows], texts[rows], photos[rows])
        return cls(predictions.label_names, by_source)

    @property
    def total(self) -> DriftStatistics:
        """The statistics of all training products."""
        return reduce(add, self.by_source.values())

    def baseline_for(self, source: str, min_products: int) -> tuple[DriftStatistics, bool]:
        """What a batch of `source` is compared with, and whether that is the training products of this source alone.

        A source never delivers the mix of all training products, so a batch is compared with those of its source, or
        with all if there are fewer than `min_products` of them.
        """
        same_source = self.by_source.get(source)
        if same_source is not None and same_source.products >= min_products:
            return same_source, True
        return self.total, False

    def save(self, folder: Path) -> None:
        """Write the profile into a model's folder, as plain numbers and text."""
        arrays: dict[str, np.ndarray] = {"label_names": np.array(self.label_names)}
        for source, statistics in self.by_source.items():
            arrays |= {f"{source}__{name}": values for name, values in statistics.to_arrays().items()}
        with (folder / PROFILE_FILE).open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, folder: Path) -> ReferenceProfile | None:
        """The profile in a model's folder; None for a model that was saved without one."""
        path = folder / PROFILE_FILE
        if not path.exists():
            return None
        parts: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
        with np.load(path, allow_pickle=False) as stored:
            label_names = tuple(stored["label_names"].tolist())
            for key in stored.files:
                source, _, name = key.rpartition("__")
                if source:
                    parts[source][name] = stored[key]
        return cls(label_names, {source: DriftStatistics.from_arrays(arrays) for source, arrays in parts.items()})
