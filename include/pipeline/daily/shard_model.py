"""The model that labels a day's shards: read and checked once in a process, however many shards it works on."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from include.pipeline.daily.shards import Shard

if TYPE_CHECKING:
    from include.models.version.artefact import Artefact


def shard_model(shard: Shard) -> Artefact:
    """The artefact that a shard's plan pinned. Raises NoChampionError when it is missing or damaged."""
    folder = Path(shard["model_path"])
    return _load(folder, tuple(_state(path) for path in sorted(folder.glob("*"))))


@lru_cache(maxsize=1)
def _load(folder: Path, state: tuple[tuple[str, int, int], ...]) -> Artefact:
    """The artefact of a folder, kept as long as its files are in the same `state`."""
    from include.models.version.artefact import Artefact

    return Artefact.load(folder)


def _state(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return path.name, found.st_size, found.st_mtime_ns
