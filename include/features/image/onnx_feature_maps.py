"""What an ONNX network computes on its way: its feature maps made outputs of their own."""

from __future__ import annotations

from typing import Any

_ACTIVATIONS = frozenset(
    {"BatchNormalization", "Clip", "Elu", "Gelu", "HardSwish", "LeakyRelu", "Mish", "PRelu", "Relu", "Selu"}
)
"""What follows a convolution place by place, and so belongs to its feature map."""
_GATES = frozenset({"HardSigmoid", "Sigmoid"})
"""Of a Swish, written as x · gate(x)."""


def with_outputs(network: Any, names: list[str]) -> Any:
    """The `onnx.ModelProto` with these tensors as its only outputs; whatever only the others need is never run."""
    from onnx import helper

    del network.graph.output[:]
    network.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    return network


def feature_map_names(network: Any) -> list[str]:
    """Tensors (photos, channels, height, width) of an `onnx.ModelProto`, in the order they are computed.

    They are the outputs of the convolutions that mix channels, after the activation where it is a plain one.
    """
    consumers: dict[str, list[Any]] = {}
    for node in network.graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    return [
        _activated(node.output[0], consumers)
        for node in network.graph.node
        if node.op_type == "Conv" and all(one.i == 1 for one in node.attribute if one.name == "group")
    ]


def _activated(name: str, consumers: dict[str, list[Any]]) -> str:
    while True:
        following = consumers.get(name, [])
        kinds = {node.op_type for node in following}
        if len(following) == 1 and kinds <= _ACTIVATIONS:
            name = following[0].output[0]
        elif len(following) == 2 and "Mul" in kinds and kinds & _GATES:
            name = next(node.output[0] for node in following if node.op_type == "Mul")
        else:
            return name
