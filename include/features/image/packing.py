"""Packing the files of a photo encoder into a folder, so that the encoder works wherever the folder is."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlencode

from include.features.image.loading import APPLICATION_PREFIX, WORDS_PREFIX, encoder_parts, onnx_file

PACKED_FOLDER = "image_encoder"
_PACKED = f"./{PACKED_FOLDER}/"
_BUILT_IN = ("classical", "bundled")


def pack_image_encoder(spec: str, folder: Path) -> str:
    """Copy the files that `spec` names into `folder/image_encoder`; returns the spec relative to `folder`.

    Options and file names stay, and with them the encoder's identity. Parts without a file, such as `classical`, stay
    as they are, and so do networks of Keras (see `exported_spec`) and files that are not there. What was packed in the
    folder before is replaced.
    """
    target, partial = folder / PACKED_FOLDER, folder / f".{PACKED_FOLDER}.tmp"
    shutil.rmtree(partial, ignore_errors=True)
    packed = []
    for number, (name, options) in enumerate(encoder_parts(spec)):
        source = _source(name)
        if source is not None and source.exists():
            place = partial / str(number) / source.name
            _copy(source, place)
            prefix = WORDS_PREFIX if name.startswith(WORDS_PREFIX) else ""
            name = f"{prefix}{_PACKED}{number}/{source.name}"  # noqa: PLW2901
        packed.append(_spec(name, options))
    shutil.rmtree(target, ignore_errors=True)
    if partial.exists():
        partial.rename(target)
    return "+".join(packed)


def unpacked_spec(spec: str, folder: Path) -> str:
    """A spec from `pack_image_encoder` with the files' places in `folder`; any other spec as it is."""
    if _PACKED not in spec:
        return spec
    parts = []
    for name, options in encoder_parts(spec):
        prefix = WORDS_PREFIX if name.startswith(WORDS_PREFIX) else ""
        path = name.removeprefix(prefix)
        place = folder / path
        parts.append(_spec(f"{prefix}{place}" if path.startswith(_PACKED) and place.exists() else name, options))
    return "+".join(parts)


def exported_spec(spec: str, exports: Path) -> str:
    """The spec with the ONNX file in place of each network of Keras, exported to `exports` if it is not there yet."""
    parts = []
    for name, options in encoder_parts(spec):
        if name.startswith(APPLICATION_PREFIX) or name.endswith(".keras"):
            file = onnx_file(name, options, exports)
            parts.append(_spec(str(file), {key: value for key, value in options.items() if key != "weights"}))
        else:
            parts.append(_spec(name, options))
    return "+".join(parts)


def missing_files(spec: str) -> list[Path]:
    """The files and folders that `spec` names and that are not there; networks of Keras are not looked for."""
    sources = [_source(name) for name, _ in encoder_parts(spec)]
    return [source for source in sources if source is not None and not source.exists()]


def _source(name: str) -> Path | None:
    """The file or folder of a part; None where it has none of its own, or one that is exported from it."""
    if name in _BUILT_IN or name.startswith(APPLICATION_PREFIX) or name.endswith(".keras"):
        return None
    return Path(name.removeprefix(WORDS_PREFIX)).expanduser()


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True)
    if source.is_dir():
        shutil.copytree(source, place)
    else:
        shutil.copyfile(source, place)


def _spec(name: str, options: dict[str, str]) -> str:
    return f"{name}?{urlencode(options, safe=',')}" if options else name
