"""The network that ships with the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.features.image.bundled_model import bundled_network
from include.features.vectors import unit_length
from tests.benchmarks.photo_path import check_agreement
from tests.benchmarks.photo_pipelines import ten_lines
from tests.benchmarks.photos import drawn_photos
from tests.features.image.encoders import load_encoder


def test_an_absent_network_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"one \.onnx file in .*; found: none.*CUVEE_IMAGE_ENCODER"):
        bundled_network(tmp_path / "bundled")


def test_the_one_network_of_the_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text("how it was made")
    (tmp_path / "small.onnx").write_bytes(b"")
    assert bundled_network(tmp_path) == tmp_path / "small.onnx"
    (tmp_path / "other.onnx").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"found: other\.onnx, small\.onnx"):
        bundled_network(tmp_path)


def test_vectors_are_those_that_pillow_and_onnx_runtime_give_without_our_code(tmp_path: Path) -> None:
    photos = drawn_photos(12)
    ours = load_encoder("bundled", tmp_path).encode(photos)
    theirs = unit_length(ten_lines(bundled_network(), 192, 2)(photos))
    check_agreement(ours, theirs)
    with pytest.raises(ValueError, match="the ways differ"):
        check_agreement(ours, theirs[::-1])
