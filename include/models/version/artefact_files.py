"""The files of an artefact: arrays grouped by the part of the model that they belong to, and checksums."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

DESCRIPTION_FILE = "artefact.json"
CLASSIFIERS_FILE = "classifiers.npz"
GOLDEN_FILE = "golden.npz"


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays to an `.npz` file."""
    with path.open("wb") as stream:
        np.savez(stream, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file; pickled objects are refused."""
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def write_parts(path: Path, parts: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the arrays of each part of a model to an `.npz` file, under the name `PART__ARRAY`."""
    write_arrays(path, {f"{part}__{name}": value for part, arrays in parts.items() for name, value in arrays.items()})


def read_parts(path: Path) -> dict[str, dict[str, Any]]:
    """The parts that `write_parts` wrote."""
    parts: dict[str, dict[str, Any]] = defaultdict(dict)
    for key, value in read_arrays(path).items():
        part, _, name = key.partition("__")
        parts[part][name] = value
    return dict(parts)


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of each file in a folder, by its path relative to the folder; the description is left out."""
    return {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != DESCRIPTION_FILE
    }


def require_checksums(folder: Path, expected: Mapping[str, str]) -> None:
    """Raise ValueError for a file whose content has changed, OSError for one that is missing."""
    for name, checksum in expected.items():
        if _sha256(folder / name) != checksum:
            raise ValueError(f"{name} was changed after it was written")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
