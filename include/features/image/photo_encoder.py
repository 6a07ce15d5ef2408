"""The way from photos to vectors on all cores: each thread decodes a batch and embeds it, then takes the next.

Decoding and inference both leave Python's lock, so a thread that decodes runs beside one that infers, and no
core waits for the other whatever the two cost. Only as many batches of pixels exist as there are threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from include.features.image.decode import DECODING_VERSION, decode_photo
from include.features.image.interface import PixelModel
from include.settings import Settings


class PhotoEncoder:
    """An `ImageEncoder` made of scaled decoding and a `PixelModel`."""

    def __init__(self, model: PixelModel, settings: Settings) -> None:
        """Uses `settings.inference_threads` threads and refuses photos over `settings.photo_max_pixels`."""
        self._model = model
        self._threads = settings.inference_threads
        self._max_pixels = settings.photo_max_pixels

    @property
    def identity(self) -> str:
        """The model's identity and the version of the decoding, e.g. `mobilenet-9f3c…-tf-d1`."""
        return f"{self._model.identity}-{DECODING_VERSION}"

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
        model = self._model
        pixels = [
            decode_photo(photo, model.input_size, self._max_pixels, keep_proportions=model.keeps_proportions)
            for photo in batch
        ]
        vectors = np.full((len(batch), self.dimensions), np.nan, dtype=np.float32)
        decoded = [row for row, image in enumerate(pixels) if image is not None]
        if decoded:
            vectors[decoded] = model.embed(np.stack([image for image in pixels if image is not None]))
        return vectors
