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
from include.storage.lake import Lake

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)


class Shard(TypedDict):
    """What a task needs to know of its slice; small and JSON, because it travels through XCom."""

    source: str
    day: str
    shard: int
    model_version: str


def plan_shards(source: str, day: date, settings: Settings) -> list[Shard]:
    """The shards of a validated day, with the champion's version pinned; empty for an empty day.

    Raises NoChampionError if there are products and no model to label them, or its artefact is damaged: the message
    says how to go back to the one before.
    """
    lake = Lake(settings.lake_root)
    count = shard_count(lake, source, day)
    if count == 0:
        logger.info("nothing to label: source=%s day=%s", source, day)
        return []

    from include.models.version.registry import Registry

    version = Registry(settings.tracking_uri, settings.state_dir).champion().version
    load_version(version, settings)  # one task that says what to do, instead of one for every shard
    logger.info("planned source=%s day=%s shards=%d model_version=%s", source, day, count, version)
    return [Shard(source=source, day=day.isoformat(), shard=number, model_version=version) for number in range(count)]


def shard_count(lake: Lake, source: str, day: date) -> int:
    """Shards of a validated day; 0 if it has no products."""
    path = Lake.day_file("products", source, day)
    if not lake.exists(path):
        return 0
    with lake.parquet_file(path) as file:
        return int(file.num_row_groups)


def remove_surplus_photos(lake: Lake, source: str, day: date) -> None:
    """Delete packed photos of shards that the day had when it was larger."""
    needed = {Lake.day_file("images", source, day, number) for number in range(shard_count(lake, source, day))}
    for path in lake.list_files(Lake.partition("images", source, day), ".parquet"):
        if path not in needed:
            lake.delete(path)
            logger.info("removed photos of a shard that is no more: path=%s", path)


def read_shard(lake: Lake, shard: Shard, columns: list[str] | None = None) -> pa.Table:
    """The products of one shard, as rows of `schema.PRODUCTS`."""
    path = Lake.day_file("products", shard["source"], shard_day(shard))
    with lake.parquet_file(path) as file:
        return file.read_row_group(shard["shard"], columns=columns)


def shard_day(shard: Shard) -> date:
    """The day of a shard."""
    return date.fromisoformat(shard["day"])


def staged_labels_path(source: str, day: date, shard: int) -> str:
    """Where a shard's labels wait until the whole day is published."""
    return Lake.day_file("staging/labels", source, day, shard)
