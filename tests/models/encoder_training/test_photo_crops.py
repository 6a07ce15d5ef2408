"""The photos that the encoder learns from."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.models.encoder_training.photo_crops import LONG_SIDE, PhotoCrops, held_out, training_photos
from tests.models.encoder_training.drawn import file_of, picture


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def first_seed(*, kept_out: bool) -> int:
    return next(seed for seed in count() if held_out(file_of(picture(seed))) is kept_out)


def test_a_fifth_of_all_photos_is_held_out() -> None:
    share = np.mean([held_out(number.to_bytes(4, "big")) for number in range(5000)])
    assert 0.18 < share < 0.22


def test_held_out_photos_are_left_out_whatever_their_name(tmp_path: Path) -> None:
    kept, kept_out = file_of(picture(first_seed(kept_out=False))), file_of(picture(first_seed(kept_out=True)))
    paths = [write(tmp_path, "a.png", kept), write(tmp_path, "b.png", kept_out), write(tmp_path, "c.png", kept_out)]
    photos = training_photos(paths)
    assert len(photos) == 1
    np.testing.assert_array_equal(photos[0], picture(first_seed(kept_out=False)))


def test_a_held_out_photo_saved_again_is_left_out_too(tmp_path: Path) -> None:
    pixels = picture(first_seed(kept_out=True))
    again = next(
        content for quality in range(60, 100) if not held_out(content := file_of(pixels, "JPEG", quality=quality))
    )
    other = file_of(picture(first_seed(kept_out=False)))
    paths = [
        write(tmp_path, "a.png", file_of(pixels)),
        write(tmp_path, "b.jpg", again),
        write(tmp_path, "c.png", other),
    ]
    assert len(training_photos(paths)) == 1


def test_a_photo_counts_once_and_large_ones_are_made_small(tmp_path: Path) -> None:
    seed = next(seed for seed in count() if not held_out(file_of(picture(seed, side=LONG_SIDE + 50))))
    content = file_of(picture(seed, side=LONG_SIDE + 50))
    photos = training_photos([write(tmp_path, "a.png", content), write(tmp_path, "b.png", content)])
    assert [photo.shape for photo in photos] == [(LONG_SIDE, LONG_SIDE, 3)]


def test_files_that_are_no_photos_are_left_out_and_nothing_at_all_is_an_error(tmp_path: Path) -> None:
    broken = [write(tmp_path, f"{number}.jpg", bytes([number])) for number in range(10)]
    with pytest.raises(ConfigurationError, match="None of the 10 files"):
        training_photos(broken)


@settings(max_examples=20, deadline=None)
@given(step=st.integers(0, 10**6), size=st.integers(1, 12), side=st.sampled_from([16, 33]))
def test_a_step_always_gives_the_same_crops(step: int, size: int, side: int) -> None:
    photos = [picture(seed) for seed in range(4)]
    batch = PhotoCrops([(photos, 1.0)], seed=1).batch(step, size, side)
    assert batch.shape == (size, side, side, 3)
    assert batch.dtype == np.uint8
    np.testing.assert_array_equal(batch, PhotoCrops([(photos, 1.0)], seed=1).batch(step, size, side))


def test_steps_and_seeds_give_different_crops() -> None:
    photos = [picture(seed) for seed in range(4)]
    crops = PhotoCrops([(photos, 1.0)], seed=1)
    assert not np.array_equal(crops.batch(1, 4, 16), crops.batch(2, 4, 16))
    assert not np.array_equal(crops.batch(1, 4, 16), PhotoCrops([(photos, 1.0)], seed=2).batch(1, 4, 16))


def test_groups_are_seen_in_their_shares() -> None:
    dark, light = np.zeros((32, 32, 3), dtype=np.uint8), np.full((32, 32, 3), 255, dtype=np.uint8)
    batch = PhotoCrops([([dark], 3.0), ([light] * 50, 1.0), ([], 5.0)], seed=1).batch(0, 400, 8)
    assert 0.18 < (batch.mean(axis=(1, 2, 3)) > 127).mean() < 0.32
