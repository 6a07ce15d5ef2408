"""Loading the photo encoder that a spec names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl

from include.errors import ConfigurationError
from include.features.image.feature_maps import layers_named, side_named
from include.features.image.interface import ImageEncoder, PixelModel
from include.features.image.photo_encoder import PhotoEncoder
from include.features.image.views import WHOLE, views_named

APPLICATION_PREFIX = "keras-applications:"
WORDS_PREFIX = "sift-bag-of-words:"

_STARTS_A_PART = re.compile(rf"\+(?=(?:classical|bundled)(?:[?+]|$)|{APPLICATION_PREFIX}|{WORDS_PREFIX}|[/~]|\.\.?/)")
"""Only such a plus joins two encoders: file names may hold one too."""
_NETWORK_OPTIONS = ("preprocessing", "layers", "side", "views")


def load_image_encoder(spec: str, *, threads: int, max_pixels: int, exports: Path) -> ImageEncoder:
    """The encoder that `spec` names; see the table in `include/features/image/__init__.py`.

    It works in `threads` threads and decodes no photo of more than `max_pixels` pixels. `exports` is the folder of the
    ONNX files that are made of Keras models.

    Raises ConfigurationError if the spec is not understood, or its file is missing or does not fit.
    """
    parts = encoder_parts(spec)
    weights = [_weight(options.pop("weight", "1")) for _, options in parts] if len(parts) > 1 else []
    encoders = [
        PhotoEncoder(
            _load_model(target, options, exports), threads=threads, max_pixels=max_pixels, views=_views(options)
        )
        for target, options in parts
    ]
    if len(encoders) == 1:
        return encoders[0]
    from include.features.image.combined_encoder import CombinedEncoder

    return CombinedEncoder(encoders, weights)


def encoder_parts(spec: str) -> list[tuple[str, dict[str, str]]]:
    """The encoders that a spec joins, each with its options, e.g. `[("bundled", {}), ("/net.onnx", {"side": "320"})]`.

    Raises ConfigurationError if an option is not `name=value`.
    """
    return [_split(part) for part in _STARTS_A_PART.split(spec.strip())]


def encoder_files(spec: str) -> list[Path]:
    """The files that hold an encoder's weights, as far as its spec names them; empty for `classical`."""
    from include.features.image.bundled_model import bundled_network

    targets = [target for target, _ in encoder_parts(spec)]
    paths = [bundled_network() if target == "bundled" else Path(target).expanduser() for target in targets]
    return [path for path in paths if path.is_file()]


def _views(options: dict[str, str]) -> tuple[str, ...]:
    return views_named(options["views"]) if "views" in options else WHOLE


def _load_model(target: str, options: dict[str, str], exports: Path) -> PixelModel:
    if target == "classical":
        _allow(target, options)
        from include.features.image.classical import ClassicalModel

        return ClassicalModel()
    if target.startswith(WORDS_PREFIX):
        _allow(target, options)
        from include.features.image.sift_bag_of_words import SiftBagOfWords

        return SiftBagOfWords.load(Path(target.removeprefix(WORDS_PREFIX)).expanduser())
    weights = ("weights",) if target.startswith(APPLICATION_PREFIX) else ()
    _allow(target, options, *_NETWORK_OPTIONS, *weights)
    return _load_network(target, options, exports)


def _load_network(target: str, options: dict[str, str], exports: Path) -> PixelModel:
    preprocessing = options.get("preprocessing")
    layers = layers_named(options["layers"]) if "layers" in options else 0
    side = side_named(options["side"]) if "side" in options else None
    if target.endswith(".tflite"):
        from include.features.image.tflite_model import TfliteModel

        return TfliteModel(Path(target).expanduser(), preprocessing, layers=layers, side=side)
    from include.features.image.onnx_model import OnnxModel

    return OnnxModel(onnx_file(target, options, exports), preprocessing, layers=layers, side=side)


def onnx_file(target: str, options: dict[str, str], exports: Path) -> Path:
    """The ONNX file of a network, exported to `exports` first where it is one of Keras.

    Raises ConfigurationError if `target` names no such network, or the export fails.
    """
    if target == "bundled":
        from include.features.image.bundled_model import bundled_network

        return bundled_network()
    if target.startswith(APPLICATION_PREFIX):
        from include.features.image.keras_model import export_keras_application

        weights = Path(options["weights"]).expanduser() if "weights" in options else None
        return export_keras_application(target.removeprefix(APPLICATION_PREFIX), weights, exports)
    path = Path(target).expanduser()
    if path.suffix == ".keras":
        from include.features.image.keras_model import export_keras_file

        return export_keras_file(path, exports)
    if path.suffix == ".onnx":
        return path
    raise ConfigurationError(
        f"The image encoder '{target}' is not understood: use 'classical', 'bundled', the path of an .onnx, .tflite or "
        f".keras file, '{APPLICATION_PREFIX}NAME', '{WORDS_PREFIX}FOLDER', or several of them joined by '+'."
    )


def _split(spec: str) -> tuple[str, dict[str, str]]:
    target, _, query = spec.strip().partition("?")
    try:
        return target, dict(parse_qsl(query, strict_parsing=bool(query), keep_blank_values=True))
    except ValueError as error:
        raise ConfigurationError(f"The options of the image encoder '{spec}' are not name=value: {query}") from error


def _weight(value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        weight = 0.0
    if not 0 < weight < 1_000:
        raise ConfigurationError(f"weight={value} of an image encoder is not understood: give a number above 0.")
    return weight


def _allow(target: str, options: dict[str, str], *allowed: str) -> None:
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ConfigurationError(
            f"The image encoder '{target}' has no option {', '.join(unknown)}: it takes {', '.join(allowed) or 'none'}."
        )
