"""Shards: the slices of a day that tasks work on at the same time.

A shard is one row group of the day's products file, so that planning a day reads a file's footer only.
The model version is pinned when the day is planned: a promotion in the middle of a day changes nothing.
"""

from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING, TypedDict

from include.pipeline.model_versions import load_version
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)


class Shard(TypedDict):
    """What a task needs to know of its slice; small and JSON, because it travels through XCom."""

    source: str
    day: str
    shard: int
    model_version: str


def plan_shards(batch: Batch, settings: Settings) -> list[Shard]:
    """The shards of a validated day, with the champion's version pinned; empty for an empty day.

    Raises NoChampionError if there are products and no model to label them, or its artefact is damaged: the message
    names how to go back to the one before.
    """
    lake = Lake(settings.lake_root)
    count = shard_count(lake, batch)
    if count == 0:
        logger.info("nothing to label: source=%s day=%s", batch.source, batch.day)
        return []

    from include.models.version.registry import Registry

    version = Registry(settings.tracking_uri, settings.state_dir).champion().version
    load_version(version, settings)  # so that one task fails with advice, instead of one for every shard
    logger.info("planned source=%s day=%s shards=%d model_version=%s", batch.source, batch.day, count, version)
    day = batch.day.isoformat()
    return [Shard(source=batch.source, day=day, shard=number, model_version=version) for number in range(count)]


def shard_count(lake: Lake, batch: Batch) -> int:
    """Shards of a validated day; 0 if it has no products."""
    path = batch.file(Layer.PRODUCTS)
    if not lake.exists(path):
        return 0
    with lake.parquet_file(path) as file:
        return int(file.num_row_groups)


def remove_surplus_photos(lake: Lake, batch: Batch) -> None:
    """Delete packed photos of shards that the day had when it was larger."""
    needed = {batch.file(Layer.IMAGES, number) for number in range(shard_count(lake, batch))}
    for path in lake.list_files(batch.folder(Layer.IMAGES), ".parquet"):
        if path not in needed:
            lake.delete(path)
            logger.info("removed photos of a shard that is no more: path=%s", path)


def read_shard(lake: Lake, shard: Shard, columns: list[str] | None = None) -> pa.Table:
    """The products of one shard, as rows of `schema.PRODUCTS`."""
    path = batch_of(shard).file(Layer.PRODUCTS)
    with lake.parquet_file(path) as file:
        return file.read_row_group(shard["shard"], columns=columns)


def batch_of(shard: Shard) -> Batch:
    """The batch that a shard is a part of."""
    return Batch(shard["source"], date.fromisoformat(shard["day"]))
