"""Vectors from the inner feature maps of networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from include.errors import ConfigurationError
from include.features.image.feature_maps import with_spread
from include.features.image.onnx_feature_maps import feature_map_names
from include.features.image.onnx_model import OnnxModel
from include.features.image.tflite_model import TfliteModel
from tests.features.image.encoders import load_encoder

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)


def write_two_convolutions(path: Path) -> Path:
    """conv(1 × 1, 3 → 4) → Relu → depthwise → conv(4 → 2) → Swish → mean → conv over one place, as squeezing has."""
    random = np.random.default_rng(1)
    weights = {"w1": (4, 3, 1, 1), "wd": (4, 1, 1, 1), "w2": (2, 4, 1, 1), "w3": (5, 2, 1, 1)}
    nodes = [
        helper.make_node("Conv", ["photo", "w1"], ["c1"]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "wd"], ["d"], group=4),
        helper.make_node("Conv", ["d", "w2"], ["c2"]),
        helper.make_node("Sigmoid", ["c2"], ["gate"]),
        helper.make_node("Mul", ["c2", "gate"], ["swish"]),
        helper.make_node("GlobalAveragePool", ["swish"], ["pooled"]),
        helper.make_node("Conv", ["pooled", "w3"], ["vector"]),
    ]
    graph = helper.make_graph(
        nodes,
        "two",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", 5, 1, 1])],
        [
            numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name)
            for name, shape in weights.items()
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def test_own_vector_and_spread_of_each_map_count_the_same() -> None:
    random = np.random.default_rng(2)
    own, first, second = (
        random.normal(size=(2, 4)),
        random.normal(size=(2, 3, 4, 5)),
        100 * random.normal(size=(2, 6, 6, 7)),
    )
    vectors = with_spread(own, [first, second])
    assert vectors.shape == (2, 4 + 5 + 7)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[1, :4], own[1] / np.linalg.norm(own[1]) / np.sqrt(3), rtol=1e-5)
    deviation = first[1].reshape(-1, 5).std(axis=0)
    np.testing.assert_allclose(vectors[1, 4:9], deviation / np.linalg.norm(deviation) / np.sqrt(3), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors[:, 9:], axis=1), np.sqrt(1 / 3), rtol=1e-5)
    assert (with_spread(own, [np.ones((2, 3, 3, 6))])[:, 4:] == 0).all()


def test_feature_maps_follow_the_activation_and_leave_out_depthwise_convolutions(tmp_path: Path) -> None:
    network = onnx.load(write_two_convolutions(tmp_path / "net.onnx"))
    assert feature_map_names(network) == ["r1", "swish", "vector"]


def test_an_onnx_network_adds_the_spread_of_its_last_maps_over_more_than_one_place(tmp_path: Path) -> None:
    path = write_two_convolutions(tmp_path / "net.onnx")
    model = OnnxModel(path, "raw", layers=2, side=40)
    assert model.dimensions == 5 + 4 + 2
    assert model.input_size == (40, 40)
    assert model.identity.endswith("-raw-layers2-side40")
    network = onnx.load(path)
    weights = {one.name: numpy_helper.to_array(one)[:, :, 0, 0] for one in network.graph.initializer}
    first = np.maximum(PIXELS.astype(np.float32) @ weights["w1"].T, 0)
    second = (first * weights["wd"][:, 0]) @ weights["w2"].T
    with np.errstate(over="ignore"):
        swish = second / (1 + np.exp(-second))
    own = swish.mean(axis=(1, 2)) @ weights["w3"].T
    np.testing.assert_allclose(model.embed(PIXELS), with_spread(own, [first, swish]), atol=1e-4)
    with pytest.raises(ConfigurationError, match="2 feature maps, but layers=3"):
        OnnxModel(path, layers=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("layers=0", "layers=0 is not understood"),
        ("layers=two", "number of feature maps"),
        ("side=9", "from 32 to 1024"),
        ("views=whole,left", "whole, mirrored"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: str, message: str) -> None:
    path = write_two_convolutions(tmp_path / "net.onnx")
    with pytest.raises(ConfigurationError, match=message):
        load_encoder(f"{path}?{options}", tmp_path)


def test_a_real_network_shows_its_maps_without_changing_its_own_answer(shared_data: Path) -> None:
    path = shared_data / "weights" / "coral_mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"
    photo = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    own = TfliteModel(path).embed(photo)
    vectors = TfliteModel(path, layers=3).embed(photo)
    assert vectors.shape == (1, 1024 + 512 + 1024 + 1024)
    np.testing.assert_allclose(2 * vectors[:, :1024], own, atol=1e-6)
    larger = TfliteModel(path, layers=3, side=320)
    assert larger.input_size == (320, 320)
    assert larger.dimensions == vectors.shape[1]
    with pytest.raises(ConfigurationError, match="layers=99"):
        TfliteModel(path, layers=99)
