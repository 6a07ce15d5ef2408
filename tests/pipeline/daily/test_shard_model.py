"""The model of a day's shards is read once, and again when its files have changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from include.errors import NoChampionError
from include.models.version.registry import Registry
from include.pipeline.daily.shard_model import shard_model
from include.pipeline.daily.shards import Shard
from include.settings import Settings


def shard_of(folder: Path) -> Shard:
    return Shard(source="s", day="2026-01-05", shard=0, model_version="1", model_path=str(folder))


def test_shards_of_one_model_share_it(settings: Settings) -> None:
    shard = shard_of(Registry(settings.tracking_uri, settings.state_dir).champion().path)
    assert shard_model(shard) is shard_model({**shard, "shard": 1})


def test_a_model_that_was_damaged_or_removed_meanwhile_is_not_used(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(Registry(settings.tracking_uri, settings.state_dir).champion().path, folder)
    shard_model(shard_of(folder))
    for path in folder.glob("*.npz"):
        path.write_bytes(b"")
    with pytest.raises(NoChampionError):
        shard_model(shard_of(folder))
    shutil.rmtree(folder)
    with pytest.raises(NoChampionError):
        shard_model(shard_of(folder))
