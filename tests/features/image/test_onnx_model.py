"""ONNX networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from include.errors import ConfigurationError
from include.features.image.onnx_model import NAME_KEY, PREPROCESSING_KEY, WEIGHTS_HASH_KEY, OnnxModel
from tests.features.image.networks import write_mean_network

COLOUR = np.array([200, 100, 50], dtype=np.uint8)
PIXELS = np.broadcast_to(COLOUR, (3, 16, 16, 3))


def of_length_one(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / np.linalg.norm(values))


def expected(preprocessing: str) -> np.ndarray:
    """What the mean network must answer, by the formulas of `keras.applications.imagenet_utils`."""
    rgb = COLOUR.astype(float)
    return of_length_one(
        {
            "raw": rgb,
            "tf": rgb / 127.5 - 1,
            "torch": (rgb / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
            "caffe": rgb[::-1] - [103.939, 116.779, 123.68],
        }[preprocessing]
    )


@pytest.mark.parametrize("shape", [["n", 3, 16, 16], ["n", 16, 16, 3], [1, 3, 16, 16], [1, 16, 16, 3]])
@pytest.mark.parametrize("preprocessing", ["raw", "tf", "torch", "caffe"])
def test_pixels_reach_the_network_in_its_layout_and_scale(
    tmp_path: Path, shape: list[int | str | None], preprocessing: str
) -> None:
    model = OnnxModel(write_mean_network(tmp_path / "net.onnx", shape), preprocessing)
    vectors = model.embed(PIXELS)
    assert vectors.shape == (3, 3)
    assert vectors.dtype == np.float32
    assert model.dimensions == 3
    assert model.input_size == (16, 16)
    np.testing.assert_allclose(vectors, np.tile(expected(preprocessing), (3, 1)), atol=1e-5)


@pytest.mark.parametrize(("shape", "preprocessing"), [(["n", 3, 16, 16], "torch"), (["n", 16, 16, 3], "tf")])
def test_the_layout_decides_the_preprocessing_unless_it_is_named(
    tmp_path: Path, shape: list[int | str | None], preprocessing: str
) -> None:
    model = OnnxModel(write_mean_network(tmp_path / "net.onnx", shape))
    assert model.identity.endswith(f"-{preprocessing}")
    np.testing.assert_allclose(model.embed(PIXELS)[0], expected(preprocessing), atol=1e-5)


def test_uint8_networks_get_the_pixels_as_they_are(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "net.onnx", ["n", 16, 16, 3], TensorProto.UINT8)
    np.testing.assert_allclose(OnnxModel(path).embed(PIXELS)[0], expected("raw"), atol=1e-5)
    with pytest.raises(ConfigurationError, match="uint8 input takes pixels as they are"):
        OnnxModel(path, "torch")


def test_outputs_with_places_are_averaged_and_free_sizes_become_224(tmp_path: Path) -> None:
    model = OnnxModel(write_mean_network(tmp_path / "net.onnx", ["n", 3, "h", "w"], keep_places=True), "raw")
    assert model.input_size == (224, 224)
    pixels = np.broadcast_to(COLOUR, (2, 224, 224, 3))
    np.testing.assert_allclose(model.embed(pixels)[1], expected("raw"), atol=1e-5)


def test_the_identity_follows_the_weights_and_the_preprocessing(tmp_path: Path) -> None:
    one = write_mean_network(tmp_path / "net.onnx", ["n", 3, 16, 16])
    other = write_mean_network(tmp_path / "other.onnx", ["n", 3, 16, 16], keep_places=True)
    identities = {OnnxModel(one).identity, OnnxModel(one, "tf").identity, OnnxModel(other).identity}
    assert len(identities) == 3
    assert OnnxModel(one).identity in identities


def test_an_export_keeps_the_identity_of_the_weights_it_came_from(tmp_path: Path) -> None:
    metadata = {NAME_KEY: "Net", WEIGHTS_HASH_KEY: "ab" * 32, PREPROCESSING_KEY: "caffe"}
    path = write_mean_network(tmp_path / "x.onnx", ["n", 16, 16, 3], metadata=metadata)
    assert OnnxModel(path).identity == f"net-{'ab' * 12}-caffe"


@pytest.mark.parametrize("shape", [["n", 1, 16, 16], [4, 3, 16, 16], ["n", 16, 16, 4]])
def test_other_inputs_are_refused_with_what_was_expected(tmp_path: Path, shape: list[int | str | None]) -> None:
    path = write_mean_network(tmp_path / "net.onnx", shape)
    with pytest.raises(ConfigurationError, match=r"Expected is one input.*\(any number, 3, height, width\)"):
        OnnxModel(path)


@pytest.mark.parametrize(("axes", "seen"), [([2], r"\[1, 3, 16\]"), ([0, 2, 3], r"\[3\]")])
def test_outputs_that_are_no_vector_are_refused_with_what_was_expected(
    tmp_path: Path, axes: list[int], seen: str
) -> None:
    path = write_mean_network(tmp_path / "net.onnx", ["n", 3, 16, 16])
    network = onnx.load(path)
    network.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.array(axes, dtype=np.int64), "axes"))
    onnx.save(network, path)
    with pytest.raises(ConfigurationError, match=rf"has the output {seen} for one photo. Expected is one vector"):
        OnnxModel(path)


def test_a_network_of_one_size_is_not_run_at_another(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "net.onnx", ["n", 3, 16, 16])
    assert OnnxModel(path, side=16).input_size == (16, 16)
    with pytest.raises(ConfigurationError, match="16 x 16 pixels only: leave side=32 out"):
        OnnxModel(path, side=32)
    free = write_mean_network(tmp_path / "free.onnx", ["n", 3, "h", "w"])
    assert OnnxModel(free, side=32).input_size == (32, 32)


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        OnnxModel(tmp_path / "absent.onnx")
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(ConfigurationError, match="not an ONNX network"):
        OnnxModel(tmp_path / "text.onnx")
