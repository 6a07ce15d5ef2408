"""A bag of visual words: how often each kind of local pattern occurs in a photo (Csurka et al., 2004).

The negative control of a study of encoders: it represents corners and prints, and neither colour nor layout, so that an
encoder worth its cost must beat it by far. Local patterns are SIFT descriptors (Lowe, 2004) by their square roots
(RootSIFT: Arandjelović and Zisserman, 2012); the words are the centres that k-means finds among the descriptors of
the photos it is fitted on, so that in cross-validation it is fitted again on each fold's training photos.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from include.errors import ConfigurationError
from include.features.image.decode import decode_photo
from include.features.vectors import unit_length

logger = logging.getLogger(__name__)

WORDS_FILE = "visual_words.npy"

_VERSION = "1"
"""Raise it when the same photo and words would give another vector."""
_SIZE = (160, 160)
_DESCRIPTOR = 128
_PER_PHOTO = 200
"""Descriptors of one photo that the words are fitted on at most."""
_FEWEST = 2


class SiftBagOfWords:
    """A `PixelModel`: the histogram of visual words, by square roots, of length 1; zeros for a photo without any."""

    input_size = _SIZE
    keeps_proportions = True
    batch_size = 4

    def __init__(self, words: np.ndarray) -> None:
        """`words` are float32 (words, 128), the centres among RootSIFT descriptors."""
        self._words = np.ascontiguousarray(words, dtype=np.float32)
        self._half_lengths = (self._words**2).sum(axis=1) / 2
        self.dimensions = len(self._words)
        self.identity = f"sift_words{_VERSION}-{hashlib.sha256(self._words.tobytes()).hexdigest()[:24]}"

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Vectors float32 (photos, words) of RGB pixels uint8 (photos, 160, 160, 3)."""
        return np.stack([self._histogram(descriptors(photo)) for photo in pixels])

    def save(self, folder: Path) -> None:
        """Write the words to the folder, from which `load` reads them; plain numbers, no pickle."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / WORDS_FILE, self._words, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> SiftBagOfWords:
        """What `save` wrote; ConfigurationError if it is not there or is something else."""
        path = folder / WORDS_FILE
        try:
            words = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ConfigurationError(
                f"The visual words {path} cannot be read ({error}): fit them with fit_bag_of_words and save them."
            ) from error
        if words.ndim != 2 or words.shape[1] != _DESCRIPTOR or len(words) < _FEWEST or not np.isfinite(words).all():
            raise ConfigurationError(
                f"{path} holds an array of the shape {list(words.shape)}. Expected are finite visual words of the "
                f"shape (at least {_FEWEST}, {_DESCRIPTOR})."
            )
        return cls(words)

    def _histogram(self, found: np.ndarray) -> np.ndarray:
        if not len(found):
            return np.zeros(self.dimensions, dtype=np.float32)
        nearest = (found @ self._words.T - self._half_lengths).argmax(axis=1)
        counts = np.bincount(nearest, minlength=self.dimensions)
        return np.asarray(unit_length(np.sqrt(counts)[np.newaxis])[0], dtype=np.float32)


def descriptors(photo: np.ndarray) -> np.ndarray:
    """RootSIFT descriptors, float32 (found, 128), of an RGB photo uint8 (height, width, 3); none on a plain one."""
    from skimage.feature import SIFT

    gray = np.asarray(Image.fromarray(photo).convert("L"), dtype=np.float32) / 255
    detector = SIFT(upsampling=1)
    try:
        detector.detect_and_extract(gray)
    except RuntimeError:  # scikit-image's sign that there is none
        return np.empty((0, _DESCRIPTOR), dtype=np.float32)
    found = detector.descriptors.astype(np.float32)
    return np.asarray(np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9)))


def fit_bag_of_words(
    photos: Sequence[bytes], words: int = 500, *, seed: int, threads: int, max_pixels: int
) -> SiftBagOfWords:
    """Find visual words among the patterns of image files; the same photos and `seed` give the same words.

    Photos that cannot be decoded are left out. Raises ConfigurationError if fewer patterns than `words` are found.
    """
    from sklearn.cluster import MiniBatchKMeans

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda photo: _some_descriptors(photo, seed, max_pixels), photos))
    sample = np.concatenate([np.empty((0, _DESCRIPTOR), dtype=np.float32), *found])
    if words < _FEWEST or len(sample) < words:
        raise ConfigurationError(
            f"{words} visual words cannot be found among {len(sample)} patterns of {len(photos)} photos: "
            f"request fewer, at least {_FEWEST}, or give more photos."
        )
    model = MiniBatchKMeans(words, batch_size=4_096, n_init=1, max_no_improvement=20, random_state=seed)
    model.fit(sample)
    logger.info("visual words: words=%d patterns=%d photos=%d", words, len(sample), len(photos))
    return SiftBagOfWords(model.cluster_centers_)


def _some_descriptors(photo: bytes, seed: int, max_pixels: int) -> np.ndarray:
    pixels = decode_photo(photo, _SIZE, max_pixels, keep_proportions=True)
    if pixels is None:
        return np.empty((0, _DESCRIPTOR), dtype=np.float32)
    found = descriptors(pixels)
    return found[np.random.default_rng(seed).permutation(len(found))[:_PER_PHOTO]]
