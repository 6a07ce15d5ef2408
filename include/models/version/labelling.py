"""Label a few products directly from their texts and photos, without lake and cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from include.features.text import document
from include.models.decision.predictions import Predictions
from include.models.decision.written_rules import RULE_COLUMNS, rule_labels
from include.models.version.artefact import Artefact

if TYPE_CHECKING:
    from include.features.image import ImageEncoder


@dataclass(frozen=True)
class Item:
    """The parts of one product that the classifiers read; absent parts are None.

    Example: `Item(name="Vinaigre de Champagne", ingredients="vinaigre de vin")`.
    """

    name: str | None = None
    brand: str | None = None
    description: str | None = None
    ingredients: str | None = None
    photo: bytes | None = None
    """The encoded image file, e.g. a JPEG."""


class Labeller:
    """A model with its encoders."""

    def __init__(self, artefact: Artefact, image_encoder: ImageEncoder | None = None) -> None:
        """Without `image_encoder` photos are ignored.

        Raises ConfigurationError if `image_encoder` is not the one that the model was trained with.
        """
        if image_encoder is not None:
            artefact.check_image_encoder(image_encoder.identity)
        self.artefact = artefact
        self._image_encoder = image_encoder

    def label(self, items: Sequence[Item]) -> Predictions:
        """Predictions for the items, in their order; a photo that cannot be decoded counts as none."""
        documents = [document(item.name, item.brand, item.description, item.ingredients) for item in items]
        image_vectors = self._image_vectors([item.photo for item in items])
        return self.artefact.predict(
            self.artefact.text_encoder.encode(documents),
            np.array([bool(text) for text in documents], dtype=bool),
            image_vectors,
            ~np.isnan(image_vectors).any(axis=1) & (image_vectors.shape[1] > 0),
            rule_labels(
                pa.table(
                    {name: pa.array([getattr(item, name) for item in items], pa.string()) for name in RULE_COLUMNS}
                )
            ),
        )

    def _image_vectors(self, photos: Sequence[bytes | None]) -> np.ndarray:
        """float32 (n, dimensions), rows of NaN where there is no photo; (n, 0) without an encoder."""
        if self._image_encoder is None:
            return np.empty((len(photos), 0), dtype=np.float32)
        vectors = np.full((len(photos), self._image_encoder.dimensions), np.nan, dtype=np.float32)
        present = [row for row, photo in enumerate(photos) if photo is not None]
        if present:
            vectors[present] = self._image_encoder.encode([photo for photo in photos if photo is not None])
        return vectors
