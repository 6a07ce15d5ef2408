"""The plan of a relabelling: one model version, pinned, and the shards of the catalogue that it has to label."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, TypedDict

from include.pipeline.model_versions import load_version
from include.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from include.warehouse.relabelling import CatalogueSlice

logger = logging.getLogger(__name__)

MOST_SHARDS = 50
"""About the largest number of shards: each is a task, and Airflow's pages stay readable."""


class PinnedModel(TypedDict):
    """The model version of a whole relabelling."""

    version: str
    pinned_at: str
    """When, by the warehouse's clock: what was published since then is looked at again in the end."""


class RelabelShard(TypedDict):
    """A slice of the catalogue and the version to label it with; small and JSON, because it travels through XCom."""

    name: str
    """For people, e.g. `shard 3 of 50, openfoodfacts 2026-01-05 to 2026-01-09`."""
    source: str
    first_day: str
    last_day: str
    first_id: str | None
    before_id: str | None
    products: int
    """How many there were to label when it was planned."""
    model: PinnedModel


def pin_version(settings: Settings, version: str | None = None, announced: str | None = None) -> PinnedModel:
    """The version to relabel with: `version` if given, else the champion's number as the registry has it now.

    `announced` is the version that set the relabelling off; if another is champion by now, that one counts. Raises
    NoChampionError without a champion or when the artefact is damaged, ConfigurationError for an unknown version,
    WarehouseUnreachable when the warehouse does not answer.
    """
    from include.models.version.registry import Registry
    from include.warehouse.engine import open_engine
    from include.warehouse.relabelling import server_time

    registry = Registry(settings.tracking_uri, settings.state_dir)
    found = registry.champion().version if version is None else registry.get(version).version
    if version is None and announced is not None and announced != found:
        logger.warning("version %s was announced, and %s is champion now: it labels", announced, found)
    load_version(found, settings)  # so that one task fails with advice, instead of one for every shard
    with open_engine(settings.warehouse_dsn) as engine:
        pinned_at = server_time(engine)
    logger.info("relabelling with model_version=%s", found)
    return PinnedModel(version=found, pinned_at=pinned_at.isoformat())


def plan_relabelling(model: PinnedModel, settings: Settings, *, arrivals: bool = False) -> list[RelabelShard]:
    """Shards over all products that another version labelled: days of one source, or a part of a large day.

    Each has about `relabel_shard_size` products, more where there would be more than some 50 shards. Empty when the
    version labelled all. With `arrivals` only over days that were published since the version was pinned.
    """
    from include.warehouse.engine import open_engine

    with open_engine(settings.warehouse_dsn) as engine:
        counts = _left(engine, model, arrivals)
        total = sum(products for _source, _day, products in counts)
        size = max(settings.relabel_shard_size, math.ceil(total / MOST_SHARDS))
        planned = [
            found for _source, days in groupby(counts, itemgetter(0)) for found in _slices(engine, model, days, size)
        ]
    logger.info("planned relabelling model_version=%s products=%d shards=%d", model["version"], total, len(planned))
    return [_shard(number, len(planned), part, products, model) for number, (part, products) in enumerate(planned, 1)]


def count_arrivals(model: PinnedModel, settings: Settings) -> int:
    """Products with another version's label of days that were published since the version was pinned."""
    from include.warehouse.engine import open_engine

    with open_engine(settings.warehouse_dsn) as engine:
        return sum(products for _source, _day, products in _left(engine, model, arrivals=True))


def _left(engine: Engine, model: PinnedModel, arrivals: bool) -> list[tuple[str, date, int]]:
    from include.warehouse.relabelling import count_by_day

    since = datetime.fromisoformat(model["pinned_at"]) if arrivals else None
    return count_by_day(engine, model["version"], since)


def _shard(number: int, count: int, part: CatalogueSlice, products: int, model: PinnedModel) -> RelabelShard:
    days = f"{part.first_day}" + (f" to {part.last_day}" if part.last_day != part.first_day else "")
    return RelabelShard(
        name=f"shard {number} of {count}, {part.source} {days}",
        source=part.source,
        first_day=part.first_day.isoformat(),
        last_day=part.last_day.isoformat(),
        first_id=part.first_id,
        before_id=part.before_id,
        products=products,
        model=model,
    )


def slice_of(shard: RelabelShard) -> CatalogueSlice:
    """The part of the catalogue that a shard is about."""
    from include.warehouse.relabelling import CatalogueSlice

    return CatalogueSlice(
        source=shard["source"],
        first_day=date.fromisoformat(shard["first_day"]),
        last_day=date.fromisoformat(shard["last_day"]),
        first_id=shard["first_id"],
        before_id=shard["before_id"],
    )


def _slices(
    engine: Engine, model: PinnedModel, days: Iterable[tuple[str, date, int]], size: int
) -> Iterator[tuple[CatalogueSlice, int]]:
    """Slices of one source with their numbers of products, in the order of days."""
    from include.warehouse.relabelling import split_day

    together: list[tuple[str, date, int]] = []
    for source, day, products in days:
        if products > size:
            yield from _closed(together)
            together = []
            yield from split_day(engine, model["version"], source, day, math.ceil(products / size))
            continue
        together.append((source, day, products))
        if sum(map(itemgetter(2), together)) >= size:
            yield from _closed(together)
            together = []
    yield from _closed(together)


def _closed(days: list[tuple[str, date, int]]) -> Iterator[tuple[CatalogueSlice, int]]:
    """One slice of all the days; none of no days."""
    from include.warehouse.relabelling import CatalogueSlice

    if days:
        (source, first, _), (_, last, _) = days[0], days[-1]
        yield CatalogueSlice(source, first, last), sum(map(itemgetter(2), days))
