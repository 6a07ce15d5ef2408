"""Views of a photo."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from include.errors import ConfigurationError
from include.features.image.decode import decode_within
from include.features.image.views import VIEWS, look_at, subject_box, views_named
from tests.features.image.encoders import load_encoder
from tests.features.image.networks import quarters, write_mean_network


def on_ground(box: tuple[int, int, int, int], ground: int = 250) -> np.ndarray:
    """A red box (left, top, right, bottom) on plain ground, RGB uint8 (60, 80, 3)."""
    photo = np.full((60, 80, 3), ground, dtype=np.uint8)
    photo[box[1] : box[3], box[0] : box[2]] = (200, 20, 20)
    return photo


@hypothesis_settings(deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 30), st.integers(5, 35), st.integers(5, 25), st.sampled_from([0, 90, 250, 255])
)
def test_the_subject_is_found_wherever_it_lies_on_plain_ground(
    left: int, top: int, width: int, height: int, ground: int
) -> None:
    box = (left, top, left + width, top + height)
    assert subject_box(on_ground(box, ground)) == box


def test_without_plain_ground_or_subject_the_whole_photo_is_the_subject() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    assert subject_box(noise) == (0, 0, 80, 60)
    assert subject_box(on_ground((0, 0, 0, 0))) == (0, 0, 80, 60)


def test_each_view_shows_what_it_is_named_for() -> None:
    whole, mirrored, subject, framed = look_at(on_ground((10, 10, 30, 50)), VIEWS, (40, 40))
    np.testing.assert_array_equal(mirrored, whole[:, ::-1])
    assert (subject == (200, 20, 20)).all()
    red = (framed == (200, 20, 20)).all(axis=2)
    assert 0.4 < red.sum(axis=0).astype(bool).sum() / red.sum(axis=1).astype(bool).sum() < 0.6
    assert (framed[:, 0] == 255).all()
    assert (framed[0] == 255).all()


@pytest.mark.parametrize("names", ["", "all", "whole,whole", "whole;subject"])
def test_unknown_views_are_refused_with_the_known_ones(names: str) -> None:
    with pytest.raises(ConfigurationError, match="whole, mirrored, subject, framed"):
        views_named(names)


def test_an_encoder_averages_the_views_and_says_so_in_its_identity(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "net.onnx", ["n", 3, 64, 64])
    single = load_encoder(f"{path}?preprocessing=raw", tmp_path)
    several = load_encoder(f"{path}?preprocessing=raw&views=mirrored,subject", tmp_path)
    reordered = load_encoder(f"{path}?preprocessing=raw&views=subject,mirrored", tmp_path)
    assert several.identity == reordered.identity != single.identity
    stream = BytesIO()
    Image.fromarray(on_ground((10, 10, 30, 50))).save(stream, "PNG")
    vectors = several.encode([stream.getvalue(), b"nothing"])
    looks = look_at(on_ground((10, 10, 30, 50)), ("mirrored", "subject"), (64, 64)).mean(axis=(1, 2))
    mean = (looks / np.linalg.norm(looks, axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(vectors[0], mean / np.linalg.norm(mean), atol=1e-5)
    assert np.isnan(vectors[1]).all()


def test_decoding_within_keeps_proportions_and_never_enlarges() -> None:
    large, small = (decode_within(quarters(side=side), (100, 200), 10**6) for side in (400, 50))
    assert large is not None
    assert small is not None
    assert large.shape == (100, 100, 3)
    assert small.shape == (50, 50, 3)
    assert decode_within(b"nothing", (100, 200), 10**6) is None
    assert decode_within(quarters(side=400), (100, 200), 100) is None
