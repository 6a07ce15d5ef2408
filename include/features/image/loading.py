"""From an encoder's spec, as the settings and model artefacts hold it, to the encoder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

from include.errors import ConfigurationError
from include.features.image.interface import ImageEncoder, PixelModel
from include.features.image.photo_encoder import PhotoEncoder
from include.settings import Settings

APPLICATION_PREFIX = "keras-applications:"


def load_image_encoder(spec: str, settings: Settings) -> ImageEncoder:
    """The encoder that `spec` names; see the table in `include/features/image/__init__.py`.

    Raises ConfigurationError if the spec is not understood, or its file is missing or does not fit.
    """
    target, options = _split(spec)
    return PhotoEncoder(_load_model(spec, target, options, settings), settings)


def _load_model(spec: str, target: str, options: dict[str, str], settings: Settings) -> PixelModel:
    preprocessing = options.get("preprocessing")
    if target == "classical":
        _allow(spec, options)
        from include.features.image.classical import ClassicalModel

        return ClassicalModel()
    if target.startswith(APPLICATION_PREFIX):
        _allow(spec, options, "weights", "preprocessing")
        from include.features.image.keras_model import export_keras_application
        from include.features.image.onnx_model import OnnxModel

        weights = Path(options["weights"]).expanduser() if "weights" in options else None
        exported = export_keras_application(target.removeprefix(APPLICATION_PREFIX), weights, settings)
        return OnnxModel(exported, preprocessing)
    _allow(spec, options, "preprocessing")
    path = Path(target).expanduser()
    if path.suffix == ".tflite":
        from include.features.image.tflite_model import TfliteModel

        return TfliteModel(path, preprocessing)
    if path.suffix == ".keras":
        from include.features.image.keras_model import export_keras_file
        from include.features.image.onnx_model import OnnxModel

        return OnnxModel(export_keras_file(path, settings), preprocessing)
    if path.suffix == ".onnx":
        from include.features.image.onnx_model import OnnxModel

        return OnnxModel(path, preprocessing)
    raise ConfigurationError(
        f"The image encoder '{spec}' is not understood: use 'classical', the path of an .onnx, .tflite or .keras file, "
        f"or '{APPLICATION_PREFIX}NAME'."
    )


def _split(spec: str) -> tuple[str, dict[str, str]]:
    target, _, query = spec.strip().partition("?")
    try:
        return target, dict(parse_qsl(query, strict_parsing=bool(query), keep_blank_values=True))
    except ValueError as error:
        raise ConfigurationError(f"The options of the image encoder '{spec}' are not name=value: {query}") from error


def _allow(spec: str, options: dict[str, str], *allowed: str) -> None:
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ConfigurationError(
            f"The image encoder '{spec}' has no option {', '.join(unknown)}: it takes {', '.join(allowed) or 'none'}."
        )
