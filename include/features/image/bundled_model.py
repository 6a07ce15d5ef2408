"""The network that ships with the project: no download, no licence but the project's."""

from __future__ import annotations

from pathlib import Path

from include.errors import ConfigurationError

BUNDLED_FOLDER = Path(__file__).resolve().parent / "bundled"


def bundled_network(folder: Path = BUNDLED_FOLDER) -> Path:
    """The one ONNX file of the folder; ConfigurationError if there is none, or more than one."""
    found = sorted(folder.glob("*.onnx"))
    if len(found) != 1:
        seen = ", ".join(path.name for path in found) or "none"
        raise ConfigurationError(
            f"The image encoder 'bundled' is one .onnx file in {folder}; found: {seen}. Restore the file from the "
            "project, or set CUVEE_IMAGE_ENCODER to another encoder, e.g. classical."
        )
    return found[0]
