"""Keras models, exported to ONNX by a process of their own."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.image.keras_model import export_keras_file
from include.features.image.onnx_model import OnnxModel
from include.settings import PROJECT_ROOT
from tests.features.image.encoders import load_encoder

MAKE_MODELS = """
import sys, numpy as np, keras
folder = sys.argv[1]
keras.utils.set_random_seed(0)
small = keras.Sequential([
    keras.Input((32, 24, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(5, 3, activation="relu"),
    keras.layers.GlobalAveragePooling2D(),
])
small.save(folder + "/small.keras")
pixels = np.load(folder + "/pixels.npy")
np.save(folder + "/small.npy", small(pixels[:, :32, :24].astype("float32")))
network = keras.applications.MobileNetV3Small(
    include_top=False, weights=None, pooling="avg", input_shape=(224, 224, 3), include_preprocessing=False
)
network.save_weights(folder + "/v3.weights.h5")
np.save(folder + "/v3.npy", network(pixels / np.float32(127.5) - 1))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a saved model, weights of a named network, and what Keras itself answers."""
    folder = tmp_path_factory.mktemp("models")
    np.save(folder / "pixels.npy", np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8))
    environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [sys.executable, "-c", MAKE_MODELS, str(folder)],
        check=True, capture_output=True, cwd=PROJECT_ROOT, env=environment,
    )  # fmt: skip
    return folder


def of_length_one(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_a_saved_model_is_exported_once_and_answers_as_keras_does(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    had_tensorflow = "tensorflow" in sys.modules  # from a test that trains networks in this process
    exported = export_keras_file(models / "small.keras", tmp_path)
    model = OnnxModel(exported)
    assert model.identity.endswith("-raw")
    assert model.input_size == (32, 24)
    pixels = np.load(models / "pixels.npy")[:, :32, :24]
    np.testing.assert_allclose(model.embed(pixels), of_length_one(np.load(models / "small.npy")), atol=1e-4)

    monkeypatch.setattr(sys, "executable", "/nowhere")  # a second export would fail
    encoder = load_encoder(str(models / "small.keras"), tmp_path)
    assert encoder.identity.startswith("small-")
    assert encoder.dimensions == 5
    assert sorted(path.name for path in exported.parent.iterdir() if not path.name.endswith(".lock")) == [exported.name]
    assert ("tensorflow" in sys.modules) == had_tensorflow


def test_a_named_network_with_local_weights_answers_as_keras_does(models: Path, tmp_path: Path) -> None:
    spec = f"keras-applications:MobileNetV3Small?weights={models / 'v3.weights.h5'}"
    encoder = load_encoder(spec, tmp_path)
    assert encoder.dimensions == 576
    assert encoder.identity.startswith("mobilenetv3small-")
    (exported,) = tmp_path.glob("*.onnx")
    vectors = OnnxModel(exported).embed(np.load(models / "pixels.npy"))
    np.testing.assert_allclose(vectors, of_length_one(np.load(models / "v3.npy")), atol=1e-3)


def test_weights_that_cannot_be_downloaded_are_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    caplog.set_level(logging.INFO)
    with pytest.raises(ConfigurationError, match=r"cannot be exported.*Without access to the internet, give a file"):
        load_encoder("keras-applications:MobileNetV3Small", tmp_path)
    assert "about 4 MB" in caplog.text
    assert list(tmp_path.glob("*.onnx")) == []


def test_a_file_that_is_no_model_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "damaged.keras").write_bytes(b"nothing")
    with pytest.raises(ConfigurationError, match=r"damaged.keras is not a Keras model"):
        load_encoder(str(tmp_path / "damaged.keras"), tmp_path)
