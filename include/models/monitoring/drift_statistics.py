"""Sums over labelled products, from which drift is computed: their size does not depend on the number of products.

The same statistics are computed of a model's training products and of a day's batch, chunk by chunk. Statistics of
chunks are added; the result does not depend on the order or the size of the chunks.

    statistics = DriftStatistics.of(predictions, without_photo, text_vectors, image_vectors)
    day = statistics + statistics_of_the_next_shard
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from include.models.decision.predictions import Predictions

CONFIDENCE_BINS = 200
"""Number of bins of equal width over [0, 1] in the histogram of confidences."""


@dataclass(frozen=True, eq=False)
class NormalisedMean:
    """Mean and spread of n embeddings of d dimensions, each normalised to length 1, kept as their sum.

    Lengths are left out because they depend on what a text encoder was fitted on: the embedding of a text that it was
    fitted on is longer.
    """

    count: int
    total: np.ndarray
    """float64 (d,)"""

    @classmethod
    def of(cls, vectors: np.ndarray) -> NormalisedMean:
        """Of the rows of float (n, d) that are finite and not all 0; other rows have no direction and are left out."""
        lengths = np.linalg.norm(vectors, axis=1)
        usable = np.isfinite(lengths) & (lengths > 0)
        total = (vectors[usable] / lengths[usable, None]).sum(axis=0, dtype=np.float64)
        return cls(int(usable.sum()), total)

    def __add__(self, other: NormalisedMean) -> NormalisedMean:
        if not self.count or not other.count:  # a chunk without any vector may not know their dimensions
            return self if self.count else other
        return NormalisedMean(self.count + other.count, self.total + other.total)

    @property
    def mean(self) -> np.ndarray:
        """float64 (d,); NaN for no vectors."""
        return self.total / (self.count or np.nan)

    @property
    def spread(self) -> float:
        """Root mean squared distance of the normalised vectors from their mean, 0 to 1; NaN for no vectors."""
        return float(np.sqrt(max(1 - float(np.square(self.mean).sum()), 0.0)))


@dataclass(frozen=True, eq=False)
class DriftStatistics:
    """Counts and sums over n products that one model labelled."""

    labels: np.ndarray
    """int64 (k,): products by predicted label, in the order of the model's labels."""
    confidences: np.ndarray
    """int64 (CONFIDENCE_BINS,): histogram of the confidences over [0, 1]."""
    reviewed: int
    """Products sent to review."""
    without_photo: int
    text: NormalisedMean
    photo: NormalisedMean

    @classmethod
    def of(
        cls,
        predictions: Predictions,
        without_photo: np.ndarray,
        text_vectors: np.ndarray,
        image_vectors: np.ndarray,
    ) -> DriftStatistics:
        """The statistics of n products: `without_photo` bool (n,); vectors float (n, d) and (n, e), NaN if absent."""
        bins = np.minimum((predictions.confidences * CONFIDENCE_BINS).astype(np.int64), CONFIDENCE_BINS - 1)
        return cls(
            labels=np.bincount(predictions.label_index, minlength=len(predictions.label_names)),
            confidences=np.bincount(bins, minlength=CONFIDENCE_BINS),
            reviewed=int((~predictions.is_accepted).sum()),
            without_photo=int(without_photo.sum()),
            text=NormalisedMean.of(text_vectors),
            photo=NormalisedMean.of(image_vectors),
        )

    def __add__(self, other: DriftStatistics) -> DriftStatistics:
        """The statistics of all products of both, which must be of the same model."""
        return DriftStatistics(
            self.labels + other.labels,
            self.confidences + other.confidences,
            self.reviewed + other.reviewed,
            self.without_photo + other.without_photo,
            self.text + other.text,
            self.photo + other.photo,
        )

    @property
    def products(self) -> int:
        """Number of products."""
        return int(self.labels.sum())

    @property
    def label_shares(self) -> np.ndarray:
        """float64 (k,): share of each label; NaN for no products."""
        return self.labels / (self.products or np.nan)

    @property
    def mean_confidence(self) -> float:
        """Mean confidence, accurate to half a bin; NaN for no products."""
        return float(self.confidences @ confidence_values() / (self.products or np.nan))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The statistics as arrays of plain numbers, which `from_arrays` reads."""
        return {
            "labels": self.labels,
            "confidences": self.confidences,
            "counts": np.array([self.reviewed, self.without_photo, self.text.count, self.photo.count], dtype=np.int64),
            "text_total": self.text.total,
            "photo_total": self.photo.total,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> DriftStatistics:
        """The statistics that `to_arrays` wrote."""
        reviewed, without_photo, texts, photos = (int(count) for count in arrays["counts"])
        return cls(
            arrays["labels"],
            arrays["confidences"],
            reviewed,
            without_photo,
            NormalisedMean(texts, arrays["text_total"]),
            NormalisedMean(photos, arrays["photo_total"]),
        )


def confidence_values() -> np.ndarray:
    """float64 (CONFIDENCE_BINS,): the middle of each bin."""
    return (np.arange(CONFIDENCE_BINS) + 0.5) / CONFIDENCE_BINS
