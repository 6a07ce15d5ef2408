"""What a TFLite network computes on its way: its last feature maps made outputs of their own.

Pretrained networks represent textures and materials better a few layers below their last, which was made for the
classes they were trained on. The interpreter shows inner tensors only with its fast kernels switched off; naming
them as outputs in the file's own structure keeps those kernels on.
"""

from __future__ import annotations

from typing import Any

from include.errors import ConfigurationError


def with_feature_maps(content: bytes, count: int) -> bytes:
    """The TFLite network with its last `count` feature maps as further outputs, in the order they are computed.

    A feature map is the output, after its activation, of a convolution that mixes channels, over more than one
    place. Raises ConfigurationError if there are fewer of them.
    """
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import schema_py_generated as schema

    network: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    graph = network.subgraphs[0]
    convolution = [
        max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.CONV_2D
        for code in network.operatorCodes
    ]
    maps = [
        int(operator.outputs[0])
        for operator in graph.operators
        if convolution[operator.opcodeIndex] and _places(graph.tensors[operator.outputs[0]]) > 1
    ]
    if len(maps) < count:
        raise ConfigurationError(f"the network has {len(maps)} feature maps, but layers={count} were requested")
    graph.outputs = [*(int(output) for output in graph.outputs), *maps[-count:]]
    # Signatures name the outputs there were; nothing here calls the network by them.
    network.signatureDefs = None
    builder = flatbuffers.Builder(len(content))
    builder.Finish(network.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _places(tensor: Any) -> int:
    return int(tensor.shape[1] * tensor.shape[2]) if len(tensor.shape) == 4 else 0
