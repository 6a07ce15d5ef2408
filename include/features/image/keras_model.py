"""Keras models: exported to ONNX once, kept by the hash of their weights, and run by ONNX Runtime from then on."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path

from filelock import FileLock

from include.errors import ConfigurationError
from include.features.image.keras_applications import keras_application
from include.features.image.keras_export import ExportRequest
from include.features.image.weights import file_hash

logger = logging.getLogger(__name__)

_PROJECT_ROOT = Path(__file__).resolve().parents[3]

EXPORT_VERSION = "v1"
"""Part of an export's file name: raise it when the same model would be exported to another network."""

EXPORT_SECONDS = 900
"""Time limit of one export, the download of its weights included."""


def export_keras_file(path: Path, exports: Path) -> Path:
    """The ONNX file of a saved `.keras` model, exported to the folder `exports` if it is not there.

    Pixels are prepared as `raw` if the model has a Rescaling or Normalization layer, else as `tf`.
    Raises ConfigurationError if the file is missing or cannot be exported.
    """
    weights_hash = file_hash(path)
    if not zipfile.is_zipfile(path):
        raise ConfigurationError(f'{path} is not a Keras model as `model.save("name.keras")` writes it.')
    request = ExportRequest(
        model_path=str(path.resolve()), application="", weights="", weights_hash=weights_hash, onnx_path=""
    )
    return _export_once(f"{path.stem}-{weights_hash[:24]}", request, exports, str(path))


def export_keras_application(name: str, weights: Path | None, exports: Path) -> Path:
    """The ONNX file of a network of `keras.applications`, without its classification layer.

    `weights` is a file made for the network without that layer (`…_no_top.h5`); None downloads the ImageNet
    weights, the first time only. Raises ConfigurationError if the name is not known, the weights do not fit, or
    there is no network to download from.
    """
    network = keras_application(name)
    weights_hash = file_hash(weights) if weights else ""
    request = ExportRequest(
        model_path="",
        application=name,
        weights=str(weights.resolve()) if weights else "imagenet",
        weights_hash=weights_hash,
        onnx_path="",
    )
    if weights is None:
        logger.info(
            "keras-applications:%s needs its ImageNet weights, about %d MB: downloaded by Keras unless it has them",
            name, network.megabytes,
        )  # fmt: skip
    return _export_once(f"{name}-{weights_hash[:24] or 'imagenet'}", request, exports, f"keras-applications:{name}")


def _export_once(name: str, request: ExportRequest, folder: Path, spec: str) -> Path:
    target = folder / f"{name}-{EXPORT_VERSION}.onnx"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{target.name}.lock"):  # tasks that start together export once
        if not target.exists():
            _export(request, target, spec)
    return target


def _export(request: ExportRequest, target: Path, spec: str) -> None:
    temporary = target.with_name(f".{uuid.uuid4().hex}.onnx")
    logger.info("exporting %s to %s: a minute or less, once", spec, target)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "include.features.image.keras_export"],
            input=json.dumps({**request, "onnx_path": str(temporary)}),
            capture_output=True,
            text=True,
            cwd=_PROJECT_ROOT,
            timeout=EXPORT_SECONDS,
            check=False,
        )
        if done.returncode != 0 or not temporary.exists():
            raise ConfigurationError(_failure(spec, request, done.stderr))
        temporary.replace(target)
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError(f"{spec} was not exported to ONNX within {EXPORT_SECONDS} s.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _failure(spec: str, request: ExportRequest, output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    reason = lines[-1] if lines else "the process ended without a reason, perhaps for lack of memory"
    advice = (
        f"Without access to the internet, give a file, {spec}?weights=/path/to/weights_no_top.h5, or another encoder."
        if request["weights"] == "imagenet"
        else "Correct CUVEE_IMAGE_ENCODER or the file."
    )
    return f"{spec} cannot be exported to ONNX ({reason}). {advice}"
