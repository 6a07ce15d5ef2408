"""The way from photos to vectors on all cores: each thread decodes a batch and embeds it, then takes the next.

Decoding and inference both leave Python's lock, so a thread that decodes runs beside one that infers, and no
core waits for the other whatever the two cost. Only as many batches of pixels exist as there are threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from include.features.image.decode import DECODING_VERSION, decode_photo, decode_within
from include.features.image.interface import PixelModel
from include.features.image.views import WHOLE, look_at, views_identity
from include.features.vectors import unit_length

_LARGER = 2
"""How much larger than the network's input a photo is decoded before its subject is cut out."""


class PhotoEncoder:
    """An `ImageEncoder` made of scaled decoding and a `PixelModel`."""

    def __init__(self, model: PixelModel, *, threads: int, max_pixels: int, views: tuple[str, ...] = WHOLE) -> None:
        """A photo of more than `max_pixels` pixels is not decoded.

        With several views a photo's vector is the mean of what the model makes of each, scaled to length 1.
        """
        self._model = model
        self._views = views
        self._threads = threads
        self._max_pixels = max_pixels

    @property
    def identity(self) -> str:
        """The model's identity, its views and the version of the decoding, e.g. `mobilenet-9f3c…-tf-d1`."""
        return f"{self._model.identity}{views_identity(self._views)}-{DECODING_VERSION}"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._model.dimensions

    def encode(self, photos: Sequence[bytes]) -> np.ndarray:
        """Vectors float32 (photos, dimensions); a row of NaN for a photo that cannot be decoded."""
        size = max(1, min(self._model.batch_size, -(-len(photos) // self._threads)))
        batches = [photos[start : start + size] for start in range(0, len(photos), size)]
        if len(batches) <= 1:
            parts = [self._encode_batch(batch) for batch in batches]
        else:
            with ThreadPoolExecutor(self._threads, thread_name_prefix="photo-encoder") as pool:
                parts = list(pool.map(self._encode_batch, batches))
        return np.concatenate(parts) if parts else np.empty((0, self.dimensions), dtype=np.float32)

    def _encode_batch(self, batch: Sequence[bytes]) -> np.ndarray:
        pixels = [self._decode(photo) for photo in batch]
        vectors = np.full((len(batch), self.dimensions), np.nan, dtype=np.float32)
        decoded = [row for row, image in enumerate(pixels) if image is not None]
        if decoded:
            vectors[decoded] = self._embed([image for image in pixels if image is not None])
        return vectors

    def _decode(self, photo: bytes) -> np.ndarray | None:
        """What the model is to see: (height, width, 3), or with several views the photo in its proportions."""
        model = self._model
        if self._views == WHOLE:
            return decode_photo(photo, model.input_size, self._max_pixels, keep_proportions=model.keeps_proportions)
        height, width = model.input_size
        return decode_within(photo, (height * _LARGER, width * _LARGER), self._max_pixels)

    def _embed(self, photos: Sequence[np.ndarray]) -> np.ndarray:
        if self._views == WHOLE:
            return self._model.embed(np.stack(photos))
        looks = np.concatenate([look_at(photo, self._views, self._model.input_size) for photo in photos])
        vectors = self._model.embed(looks).reshape(len(photos), len(self._views), -1)
        return unit_length(vectors.mean(axis=1))
