"""The trained student as an ONNX file."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from include.errors import CuveeError
from include.features.image.onnx_model import OnnxModel
from include.models.encoder_training import export
from include.models.encoder_training.export import export_encoder
from include.models.encoder_training.student import build_stages, join
from tests.models.encoder_training.drawn import picture

SIDE = 64


@pytest.fixture(scope="module")
def stages() -> list[keras.Model]:
    """A small student with batch normalisation that is not the identity."""
    keras.utils.set_random_seed(4)
    random = np.random.default_rng(4)
    built = build_stages((16, 16, 24, 24, 32))
    for stage in built:
        stage.set_weights([weights * random.uniform(0.7, 1.3, weights.shape) for weights in stage.get_weights()])
    return built


@pytest.fixture(scope="module")
def exported(stages: list[keras.Model], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The student's file."""
    path = tmp_path_factory.mktemp("export") / "encoder.onnx"
    export_encoder(stages, path, SIDE)
    return path


def test_the_file_sees_what_the_keras_network_sees(stages: list[keras.Model], exported: Path) -> None:
    pixels = np.stack([picture(seed, side=SIDE) for seed in range(9)])
    wanted = keras.ops.convert_to_numpy(join(stages)(pixels)[-1])
    wanted = wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
    model = OnnxModel(exported)
    assert (model.input_size, model.dimensions) == ((SIDE, SIDE), 32)
    np.testing.assert_allclose(model.embed(pixels), wanted, atol=2e-3)
    assert np.abs(wanted - wanted.mean(axis=0)).max() > 0.01


def test_large_weights_are_stored_in_half_the_bytes(exported: Path) -> None:
    arrays = [numpy_helper.to_array(one) for one in onnx.load(exported).graph.initializer]
    assert {str(array.dtype) for array in arrays if array.size >= 256} == {"float16"}


def test_exported_again_it_is_the_same_encoder(stages: list[keras.Model], exported: Path) -> None:
    identity = OnnxModel(exported).identity
    export_encoder(stages, exported, SIDE)
    assert OnnxModel(exported).identity == identity
    assert [one.name for one in exported.parent.iterdir()] == ["encoder.onnx"]


def test_a_file_too_large_to_ship_is_not_written(
    stages: list[keras.Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_BYTES", 1000)
    with pytest.raises(CuveeError, match="at most 1,000 may ship"):
        export_encoder(stages, tmp_path / "encoder.onnx", SIDE)
    assert list(tmp_path.iterdir()) == []
