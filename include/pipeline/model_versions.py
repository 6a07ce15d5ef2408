"""Model versions by their number: found in the registry, and read once in a process.

Tasks hand each other numbers, never folders: each finds the version's files on the machine it runs on, and what a
remote registry holds is downloaded there first.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from include.settings import Settings

if TYPE_CHECKING:
    from include.models.version.artefact import Artefact


def load_version(version: str, settings: Settings) -> Artefact:
    """The artefact of a version, kept in memory as long as its files stay as they are.

    Raises ConfigurationError for an unknown version, NoChampionError when its artefact is missing or damaged.
    """
    folder = version_folder(version, settings)
    return _load(folder, tuple(_state(path) for path in sorted(folder.glob("*"))))


def version_folder(version: str, settings: Settings) -> Path:
    """The folder with a version's files on this machine. Raises ConfigurationError for an unknown version."""
    return _folder(version, settings.tracking_uri, settings.state_dir)


@lru_cache(maxsize=16)
def _folder(version: str, tracking_uri: str, state_dir: Path) -> Path:
    from include.models.version.registry import Registry

    return Registry(tracking_uri, state_dir).get(version).path


@lru_cache(maxsize=1)
def _load(folder: Path, state: tuple[tuple[str, int, int], ...]) -> Artefact:
    """The artefact of a folder whose files are in the given `state`."""
    from include.models.version.artefact import Artefact

    return Artefact.load(folder)


def _state(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return path.name, found.st_size, found.st_mtime_ns
