"""Files of weights: found, hashed, and refused with the reason."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from include.errors import ConfigurationError


def file_hash(path: Path) -> str:
    """SHA-256 (hex) of a file; ConfigurationError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(
            f"The image encoder's file {path} cannot be read ({error.strerror}): correct CUVEE_IMAGE_ENCODER."
        ) from error


def weights_identity(
    name: str, weights_hash: str, preprocessing: str, *, layers: int = 0, side: int | None = None
) -> str:
    """A name for the vectors of a network, e.g. `mobilenet_v3-9f3c2a…-tf`, or `…-tf-layers3-side320`."""
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:48] or "network"
    options = f"{f'-layers{layers}' if layers else ''}{f'-side{side}' if side else ''}"
    return f"{readable}-{weights_hash[:24]}-{preprocessing}{options}"
