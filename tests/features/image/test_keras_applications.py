"""Networks of Keras by name: that each gets its pixels as Keras itself prepares them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from include.features.image.keras_applications import KERAS_APPLICATIONS
from include.features.image.preprocessing import preprocessing_named
from include.settings import PROJECT_ROOT

PREPARE = """
import sys, numpy as np, keras
folder = sys.argv[1]
pixels = np.load(folder + "/pixels.npy").astype("float32")
modules = {
    "VGG16": "vgg16", "ResNet50": "resnet", "ResNet50V2": "resnet_v2", "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2", "DenseNet121": "densenet",
}
for name, module in modules.items():
    np.save(f"{folder}/{name}.npy", getattr(keras.applications, module).preprocess_input(pixels.copy()))
for name in ("MobileNetV3Small", "EfficientNetV2B0"):
    network = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(224, 224, 3))
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    np.save(f"{folder}/{name}.npy", keras.Model(network.input, first.input)(pixels))
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pixels, and what Keras makes of them for each network."""
    folder = tmp_path_factory.mktemp("prepared")
    np.save(folder / "pixels.npy", np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8))
    environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [sys.executable, "-c", PREPARE, str(folder)],
        check=True, capture_output=True, cwd=PROJECT_ROOT, env=environment,
    )  # fmt: skip
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "MobileNetV3Small", "EfficientNetV2B0", "VGG16", "ResNet50",
        "ResNet50V2", "MobileNet", "MobileNetV2", "DenseNet121",
    ],
)  # fmt: skip
def test_pixels_are_prepared_as_keras_prepares_them(name: str, prepared: Path) -> None:
    pixels = np.load(prepared / "pixels.npy")
    values = preprocessing_named(KERAS_APPLICATIONS[name].preprocessing).apply(pixels)
    np.testing.assert_allclose(values, np.load(prepared / f"{name}.npy"), atol=1e-3)


def test_networks_of_a_family_share_its_preprocessing() -> None:
    by_name = {name: network.preprocessing for name, network in KERAS_APPLICATIONS.items()}
    assert by_name["MobileNetV3Large"] == by_name["MobileNetV3Small"]
    assert {by_name[f"EfficientNetV2B{size}"] for size in range(4)} == {by_name["EfficientNetV2B0"]}
