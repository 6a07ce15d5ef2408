"""Several encoders as one: their vectors concatenated, each scaled to its weight."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from include.features.image.interface import ImageEncoder
from include.features.vectors import unit_length

_READABLE = 24
"""Characters of each encoder's name in the combined identity: the hash makes it unique, and folder names stay short."""


class CombinedEncoder:
    """An `ImageEncoder` that concatenates the vectors of its encoders, each scaled to its weight.

    The joined vector has length 1. A head that leaves the proportions of dimensions alone keeps the weights; one
    that standardises every dimension weights each encoder by its number of dimensions.
    """

    def __init__(self, encoders: Sequence[ImageEncoder], weights: Sequence[float]) -> None:
        """`weights` are the lengths (> 0) of the encoders' parts, relative to each other."""
        self._encoders = tuple(encoders)
        self._weights = np.array(weights, dtype=np.float64) / np.linalg.norm(weights)
        names = "_".join(encoder.identity.split("-")[0][:_READABLE] for encoder in encoders)
        parts = [f"{encoder.identity}*{weight:.6f}" for encoder, weight in zip(encoders, self._weights, strict=True)]
        self.identity = f"{names}-{hashlib.sha256('+'.join(parts).encode()).hexdigest()[:24]}"
        self.dimensions = sum(encoder.dimensions for encoder in encoders)

    def encode(self, photos: Sequence[bytes]) -> np.ndarray:
        """Vectors of length 1, float32 (photos, dimensions); a row of NaN for a photo that cannot be decoded."""
        parts = [encoder.encode(photos) for encoder in self._encoders]
        undecoded = np.isnan(np.hstack([part[:, :1] for part in parts])).any(axis=1)
        scaled = [
            unit_length(np.nan_to_num(part)) * np.float32(weight)
            for part, weight in zip(parts, self._weights, strict=True)
        ]
        vectors = np.hstack(scaled)
        vectors[undecoded] = np.nan
        return vectors
