"""The trained student as one small ONNX file: pixels uint8 in, embedding out, weights stored as float16."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from include.errors import CuveeError
from include.features.image.onnx_model import NAME_KEY, PREPROCESSING_KEY, WEIGHTS_HASH_KEY
from include.models.encoder_training.student import join
from include.storage.local_files import write_file

ENCODER_NAME = "cuvee_compact"
MOST_BYTES = 6_000_000
"""The file ships with the project: larger ones are refused."""

_LEAST_VALUES = 256
"""Weights of fewer values stay float32: nothing is saved, and biases keep their precision."""


def export_encoder(stages: Sequence[keras.Model], path: Path, side: int) -> None:
    """Writes the joined stages for photos of `side` pixels as `OnnxModel` reads them; replaces `path` at once.

    Input `photo`: uint8 (photos, side, side, 3), RGB. Output: float32 (photos, channels of the last stage).
    Raises CuveeError if the file would be larger than `MOST_BYTES`.
    """
    student = join(stages, side)
    encoder = keras.Model(student.input, student.outputs[-1], name=ENCODER_NAME)
    encoder(np.zeros((1, side, side, 3), dtype=np.uint8))  # Keras exports a model only once it has been called
    logging.getLogger("tf2onnx.optimizer").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="In the future `np.object`", category=FutureWarning)  # in tf2onnx
        exported = Path(folder) / "encoder.onnx"
        encoder.export(str(exported), format="onnx", verbose=False)
        network = onnx.load(exported)
    store_as_float16(network.graph)
    metadata = {NAME_KEY: ENCODER_NAME, WEIGHTS_HASH_KEY: _hash_of_weights(stages, side), PREPROCESSING_KEY: "raw"}
    helper.set_model_props(network, metadata)
    content = network.SerializeToString(deterministic=True)
    if len(content) > MOST_BYTES:
        raise CuveeError(f"The encoder would take {len(content):,} bytes; at most {MOST_BYTES:,} may ship.")
    write_file(path, content)


def store_as_float16(graph: onnx.GraphProto) -> None:
    """Halves the file: large float32 weights become float16 ones, cast back by a node that runs once, at load."""
    casts = []
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < _LEAST_VALUES:
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}/stored"))
        casts.append(helper.make_node("Cast", [f"{name}/stored"], [name], to=TensorProto.FLOAT))
    for position, cast in enumerate(casts):
        graph.node.insert(position, cast)


def _hash_of_weights(stages: Sequence[keras.Model], side: int) -> str:
    digest = hashlib.sha256(f"float16 {side}".encode())
    for stage in stages:
        for array in stage.get_weights():
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(array.tobytes())
    return digest.hexdigest()
