"""Specs of image encoders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.settings import PROJECT_ROOT
from tests.features.image.encoders import load_encoder
from tests.features.image.networks import one_colour, write_mean_network


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "not understood"),
        ("resnet", "not understood"),
        ("net.pt", "not understood"),
        ("absent.onnx", "cannot be read"),
        ("absent.tflite", "cannot be read"),
        ("absent.keras", "cannot be read"),
        ("keras-applications:Nothing", "MobileNetV3Small"),
        ("keras-applications:MobileNetV3Small?weights=/nowhere.h5", "cannot be read"),
        ("classical?preprocessing=tf", "no option preprocessing"),
        ("net.onnx?scale=2", "no option scale"),
        ("net.onnx?torch", "not name=value"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_the_reason(spec: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_encoder(spec, tmp_path)


def test_options_follow_the_question_mark(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "net.onnx", ["n", 3, 16, 16])
    identities = {load_encoder(f"{path}{options}", tmp_path).identity for options in ("", "?preprocessing=tf")}
    assert len(identities) == 2
    with pytest.raises(ConfigurationError, match="raw, tf, torch, caffe"):
        load_encoder(f"{path}?preprocessing=imagenet", tmp_path)


def test_identities_can_name_folders(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "Réseau n° 1.onnx", ["n", 3, 16, 16])
    identity = load_encoder(str(path), tmp_path).identity
    assert identity.replace("-", "").replace("_", "").isalnum()
    assert identity.isascii()


def test_an_encoder_gives_one_row_for_each_photo_in_order(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "net.onnx", ["n", 3, 16, 16])
    encoder = load_encoder(f"{path}?preprocessing=raw", tmp_path, threads=3)
    photos = [one_colour(20 + number, 30, (number * 2 + 1, 60, 7), "PNG") for number in range(100)]
    vectors = encoder.encode(photos)
    assert vectors.shape == (100, 3)
    assert (vectors[1:, 0] > vectors[:-1, 0]).all()
    assert encoder.encode([]).shape == (0, 3)


def test_an_onnx_encoder_imports_neither_tensorflow_nor_scikit_image(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "net.onnx", ["n", 3, 16, 16])
    code = (
        "import sys; from tests.features.image.encoders import load_encoder; "
        f"load_encoder({str(path)!r}); "
        "print([name for name in ('tensorflow', 'keras', 'skimage', 'sklearn', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT, check=True)
    assert done.stdout.strip() == "[]"
