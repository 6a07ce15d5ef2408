"""The network that ships with the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.features.image.bundled_model import bundled_network


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
