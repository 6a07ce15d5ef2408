"""Export of a Keras model to ONNX, run in a separate process: `python -m include.features.image.keras_export`.

TensorFlow takes seconds and half a gigabyte to load; the task that needs an encoder must pay for neither. Reads one
`ExportRequest` as JSON on standard input and writes the ONNX file; a failure is one line on standard error.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import socket
import sys
from typing import Any, TypedDict

from include.features.image.keras_applications import KerasApplication, keras_application
from include.features.image.onnx_model import NAME_KEY, PREPROCESSING_KEY, WEIGHTS_HASH_KEY

DOWNLOAD_TIMEOUT_SECONDS = 30
"""Silence after which the download of weights gives up."""


class ExportRequest(TypedDict):
    """What to export: a saved model, or a network of `keras.applications` by name."""

    model_path: str
    """A `.keras` file, or "" for a named network."""
    application: str
    """Name of a network, or ""."""
    weights: str
    """`imagenet`, or a file of weights for the named network."""
    weights_hash: str
    """SHA-256 of the given file; "" lets the export hash the downloaded weights."""
    onnx_path: str


def main() -> int:
    """Export what the request on standard input describes; exit code 0, or 1 with the reason as the last line."""
    request: ExportRequest = json.loads(sys.stdin.read())
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)
    try:
        export(request)
    except Exception as error:
        reason = " ".join(str(error).split())[:500]
        sys.stderr.write(f"\n{type(error).__name__}: {reason}\n")
        return 1
    return 0


def export(request: ExportRequest) -> None:
    """Build or load the model, and write it as ONNX with its name, weights' hash and preprocessing in the metadata."""
    if request["application"]:
        network = keras_application(request["application"])
        model, name, preprocessing = _build(network, request["weights"]), network.name, network.preprocessing
    else:
        model, name, preprocessing = _load(request["model_path"])
    write_onnx(model, request["onnx_path"], name, request["weights_hash"] or _hash_of_weights(model), preprocessing)


def write_onnx(model: Any, onnx_path: str, name: str, weights_hash: str, preprocessing: str) -> None:
    """Write a Keras model as an ONNX file that `OnnxModel` reads."""
    import numpy as np
    import onnx

    # An optimisation that it gives up comes with a traceback, and does no harm.
    logging.getLogger("tf2onnx.optimizer").setLevel(logging.ERROR)
    # Keras exports a model only once it has been called.
    model(np.zeros([1, *(side or 224 for side in model.input_shape[1:])], dtype=np.float32))
    model.export(onnx_path, format="onnx", verbose=False)
    exported = onnx.load(onnx_path)
    onnx.helper.set_model_props(
        exported, {NAME_KEY: name, WEIGHTS_HASH_KEY: weights_hash, PREPROCESSING_KEY: preprocessing}
    )
    onnx.save(exported, onnx_path)


def _build(network: KerasApplication, weights: str | None) -> Any:
    import keras

    options: dict[str, Any] = {"include_preprocessing": False} if network.preprocesses_itself else {}
    return getattr(keras.applications, network.name)(
        include_top=False,
        weights=weights,
        pooling="avg",
        input_shape=(network.side, network.side, 3),
        **options,
    )


def _load(path: str) -> tuple[Any, str, str]:
    import keras

    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] != 3:
        raise ValueError(f"the model has the input {shape}; expected is one of the shape (None, height, width, 3)")
    rescales = any(type(layer).__name__ in {"Rescaling", "Normalization"} for layer in model._flatten_layers())
    return model, os.path.splitext(os.path.basename(path))[0], "raw" if rescales else "tf"  # noqa: PTH119, PTH122


def _hash_of_weights(model: Any) -> str:
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
