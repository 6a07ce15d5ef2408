"""The trained network in ONNX: a photo encoder of the platform by its path, and a classifier with its labels."""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from include.errors import ConfigurationError
from include.features.image.keras_model import export_keras_file
from include.features.image.onnx_model import WEIGHTS_HASH_KEY
from include.models.cnn.classifier import LABELS_KEY
from include.models.cnn.networks import EMBEDDING, Network

logger = logging.getLogger(__name__)

LARGEST_DIFFERENCE = 1e-3
"""Of a probability, and of a value of the embedding relative to its largest, between Keras and ONNX Runtime."""


def export_network(
    network: Network, label_names: Sequence[str], pixels: np.ndarray, folder: Path, name: str, exports: Path
) -> tuple[Path, float]:
    """Write `NAME.keras` and `NAME.onnx` into a folder; returns the latter and its largest difference from Keras.

    Both have two outputs, the embedding and the probabilities of the labels; `pixels` are RGB uint8 (photos, height,
    width, 3) on which the two are compared. Whatever Keras' backend is here, the export is made by a process that has
    TensorFlow, in the folder `exports`. The same weights give an encoder of the same identity. Raises
    ConfigurationError, and writes no ONNX file, if the outputs differ.
    """
    import keras

    embedding, logits = network.model.get_layer(EMBEDDING).output, network.model.output
    probabilities = keras.layers.Softmax(name="probabilities")(logits)
    model = keras.Model(network.model.input, [embedding, probabilities], name=network.model.name)
    folder.mkdir(parents=True, exist_ok=True)
    saved, target = folder / f"{name}.keras", folder / f"{name}.onnx"
    temporary = folder / f".{uuid.uuid4().hex}.keras"
    model.save(temporary)
    temporary.replace(saved)
    unchecked = folder / f".{uuid.uuid4().hex}.onnx"
    try:
        _copy_with_labels(export_keras_file(saved, exports), unchecked, label_names, _hash_of(network))
        expected = [np.asarray(values) for values in model.predict_on_batch(pixels.astype(np.float32))]
        difference = _difference(expected, unchecked, pixels)
        if not difference <= LARGEST_DIFFERENCE:
            raise ConfigurationError(
                f"The ONNX export of {saved} answers otherwise than Keras, by up to {difference:.2g}: use the .keras "
                "file where Keras runs, or train another recipe."
            )
        unchecked.replace(target)
    finally:
        unchecked.unlink(missing_ok=True)
    logger.info("exported %s: largest difference from Keras %.2g", target, difference)
    return target, difference


def _copy_with_labels(exported: Path, target: Path, label_names: Sequence[str], weights_hash: str) -> None:
    import onnx

    model = onnx.load(exported)
    known = {entry.key: entry.value for entry in model.metadata_props}
    # A `.keras` file holds the time of its writing: its hash, which the export notes, is another in every training.
    known |= {WEIGHTS_HASH_KEY: weights_hash, LABELS_KEY: json.dumps(list(label_names))}
    onnx.helper.set_model_props(model, known)
    onnx.save(model, target)


def _hash_of(network: Network) -> str:
    """SHA-256 (hex) of a network's weights, in the order of its layers."""
    digest = hashlib.sha256()
    for weights in network.model.get_weights():
        digest.update(f"{weights.dtype}{weights.shape}".encode())
        digest.update(np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()


def _difference(expected: Sequence[np.ndarray], path: Path, pixels: np.ndarray) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    answers = session.run(None, {session.get_inputs()[0].name: pixels.astype(np.float32)})
    if [answer.shape for answer in answers] != [values.shape for values in expected]:
        return float("inf")
    scales = [max(float(np.abs(expected[0]).max()), 1e-6), 1.0]
    return max(
        float(np.abs(answer - values).max()) / scale
        for answer, values, scale in zip(answers, expected, scales, strict=True)
    )
