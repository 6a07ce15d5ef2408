"""Tiny networks and photos that the tests make themselves."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image


def one_colour(width: int, height: int, colour: tuple[int, int, int], kind: str) -> bytes:
    """A photo of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(stream, kind)
    return stream.getvalue()


def jpeg(width: int, height: int, colour: tuple[int, int, int] = (200, 30, 60)) -> bytes:
    """A JPEG of one colour."""
    return one_colour(width, height, colour, "JPEG")


def quarters(mode: str = "RGB", kind: str = "PNG", side: int = 64, **options: object) -> bytes:
    """A square photo: red, green, blue and black quarters, row by row."""
    pixels = np.zeros((side, side, 3), dtype=np.uint8)
    half = side // 2
    pixels[:half, :half, 0] = pixels[:half, half:, 1] = pixels[half:, :half, 2] = 255
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def write_mean_network(
    path: Path,
    shape: list[int | str | None],
    element_type: int = TensorProto.FLOAT,
    *,
    keep_places: bool = False,
    metadata: dict[str, str] | None = None,
) -> Path:
    """An ONNX network whose output is the mean of each channel: what went in can be read off it."""
    channels_first = shape[1] == 3
    nodes = [helper.make_node("Cast", ["photo"], ["real"], to=TensorProto.FLOAT)]
    if keep_places:
        kernel = {"kernel_shape": [2, 2], "strides": [2, 2]}
        nodes.append(helper.make_node("AveragePool", ["real"], ["vector"], **kernel))
    else:
        axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3] if channels_first else [1, 2])
        nodes.append(helper.make_node("ReduceMean", ["real", "axes"], ["vector"], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("photo", element_type, shape)],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, None)],
        [] if keep_places else [axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if metadata:
        helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def write_relu_tflite(path: Path, shape: list[int], element_type: str = "FLOAT32", *, squeezed: bool = False) -> Path:
    """A TFLite network that gives its pixels back, without the first dimension if `squeezed`."""
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import schema_py_generated as schema

    def tensor(name: str, sides: list[int]) -> Any:
        one = schema.TensorT()
        one.name, one.shape, one.type, one.buffer = name, sides, getattr(schema.TensorType, element_type), 0
        return one

    def step(code: int, source: int, target: int) -> Any:
        one = schema.OperatorT()
        one.opcodeIndex, one.inputs, one.outputs = code, [source], [target]
        return one

    graph = schema.SubGraphT()
    graph.tensors = [tensor("photo", shape), tensor("kept", shape), tensor("squeezed", shape[1:])]
    graph.operators = [step(0, 0, 1), step(1, 1, 2)]
    graph.operators[1].builtinOptionsType = schema.BuiltinOptions.SqueezeOptions
    graph.operators[1].builtinOptions = schema.SqueezeOptionsT()
    graph.operators[1].builtinOptions.squeezeDims = [0]
    graph.inputs, graph.outputs = [0], [2 if squeezed else 1]
    codes = []
    for number in (schema.BuiltinOperator.RELU, schema.BuiltinOperator.SQUEEZE):
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = number
        code.version = 1
        codes.append(code)
    network = schema.ModelT()
    network.version, network.operatorCodes, network.subgraphs = 3, codes, [graph]
    network.buffers = [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(network.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
