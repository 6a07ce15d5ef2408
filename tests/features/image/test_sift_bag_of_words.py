"""The bag of visual words."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from include.errors import ConfigurationError
from include.features.image.sift_bag_of_words import WORDS_FILE, SiftBagOfWords, fit_bag_of_words
from tests.features.image.encoders import load_encoder
from tests.features.image.networks import jpeg


def blobs(seed: int) -> bytes:
    """A photo of random squares: something for SIFT to find."""
    random = np.random.default_rng(seed)
    pixels = np.full((160, 160, 3), 255, dtype=np.uint8)
    for left, top, side in random.integers(8, 130, (12, 3)):
        pixels[top : top + side // 6 + 4, left : left + side // 5 + 4] = random.integers(0, 200, 3)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def words() -> SiftBagOfWords:
    return fit_bag_of_words(
        [*(blobs(seed) for seed in range(4)), b"nothing"], words=8, seed=0, threads=2, max_pixels=50_000_000
    )


def test_the_same_photos_give_the_same_words(words: SiftBagOfWords) -> None:
    again = fit_bag_of_words(
        [*(blobs(seed) for seed in range(4)), b"nothing"], words=8, seed=0, threads=2, max_pixels=50_000_000
    )
    other = fit_bag_of_words([blobs(seed) for seed in range(4)], words=8, seed=1, threads=2, max_pixels=50_000_000)
    assert again.identity == words.identity != other.identity


def test_saved_words_give_the_same_encoder_and_saving_twice_changes_nothing(
    words: SiftBagOfWords, tmp_path: Path
) -> None:
    words.save(tmp_path)
    written = (tmp_path / WORDS_FILE).read_bytes()
    words.save(tmp_path)
    assert (tmp_path / WORDS_FILE).read_bytes() == written
    encoder = load_encoder(f"sift-bag-of-words:{tmp_path}")
    assert encoder.identity.startswith(words.identity)
    vectors = encoder.encode([blobs(0), blobs(9), jpeg(50, 40), b"nothing"])
    assert vectors.shape == (4, 8)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors[:2], axis=1), 1, rtol=1e-5)
    assert (vectors[2] == 0).all()
    assert np.isnan(vectors[3]).all()


def test_too_few_patterns_for_the_words_are_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="cannot be found among 0 patterns of 1 photos"):
        fit_bag_of_words([jpeg(50, 40)], words=8, seed=0, threads=2, max_pixels=50_000_000)


@pytest.mark.parametrize("content", [np.zeros((8, 64), np.float32), np.full((8, 128), np.nan), np.array(3.0), None])
def test_absent_or_foreign_words_are_refused(content: np.ndarray | None, tmp_path: Path) -> None:
    if content is not None:
        np.save(tmp_path / WORDS_FILE, content)
    with pytest.raises(ConfigurationError, match=r"cannot be read|Expected are finite visual words"):
        load_encoder(f"sift-bag-of-words:{tmp_path}")


def test_pickled_words_are_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / WORDS_FILE, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        SiftBagOfWords.load(tmp_path)
