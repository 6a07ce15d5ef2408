"""The interfaces of image encoders, and of the models that they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class ImageEncoder(Protocol):
    """Photos in, vectors out."""

    @property
    def identity(self) -> str:
        """Name of the vectors, usable as a folder: the same exactly when every vector is the same."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def encode(self, photos: Sequence[bytes]) -> np.ndarray:
        """Vectors of JPEG, PNG or other image files, float32 (photos, dimensions).

        A photo that cannot be decoded gives a row of NaN.
        """


class PixelModel(Protocol):
    """A network or a feature extractor that sees decoded photos; may be called by several threads at once."""

    @property
    def identity(self) -> str:
        """Name, hash of the weights and preprocessing, e.g. `mobilenet-9f3c…-tf`."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of the pixels it wants."""

    @property
    def keeps_proportions(self) -> bool:
        """Whether photos are put on white ground to fit, instead of being squeezed as networks are used to."""

    @property
    def batch_size(self) -> int:
        """Photos that are best given at once."""

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Vectors float32 (photos, dimensions) of RGB pixels uint8 (photos, height, width, 3)."""
