"""The interface of text encoders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np


class TextEncoder(Protocol):
    """Turns documents (made by `document`) into vectors; fitted or loaded, and not changed afterwards."""

    @property
    def identity(self) -> str:
        """Name of this encoder's vectors, e.g. `text-3f9c…`: the same exactly when every vector is the same.

        Letters, digits, `.`, `_` and `-`: embeddings are cached under it.
        """
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, or less where part of a document is unknown: float32 (documents, dimensions).

        A document without any known term (the empty one, too) has a vector of zeros.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write plain numbers and text into a folder, made if absent; `load_text_encoder` reads them back."""
        ...
