"""Label the whole catalogue again with one model version, from embeddings that are there already.

    model = pin_version(settings)                    # the champion's number, or a requested version
    for shard in plan_relabelling(model, settings):
        relabel_shard(shard, settings)
    summary = finish_relabelling(model, settings)    # what moved meanwhile, and what changed in all

A shard reads only products that another version labelled, and is written in one transaction: killed anywhere and run
again, all of it leaves the same rows. A label that a human decided stays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypedDict

from include.models.reasons.relabelled import reasons_file, remove_older_reasons
from include.pipeline.relabelling.plan import (
    PinnedModel,
    RelabelShard,
    count_arrivals,
    pin_version,
    plan_relabelling,
    slice_of,
)
from include.pipeline.relabelling.predictions import CataloguePredictor
from include.schema import RELABELLING_REASONS
from include.settings import Settings
from include.storage.lake import Lake
from include.storage.row_lookup import write_sorted
from include.warehouse.relabel_summary import RelabelSummary, relabel_summary

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Engine

logger = logging.getLogger(__name__)

SWEEPS = 3
"""How often products that came meanwhile with another version's label are looked for at the end."""


class ShardSummary(TypedDict):
    """What became of a shard's products."""

    read: int
    relabelled: int
    seconds: float


def relabel_shard(shard: RelabelShard, settings: Settings) -> ShardSummary:
    """Label one shard and write it in one transaction; of a shard that is done there is nothing left to read."""
    from include.warehouse.copying_out import open_reader
    from include.warehouse.engine import open_engine

    started = time.monotonic()
    predictor = CataloguePredictor(shard["model"], settings)
    lake = Lake(settings.lake_root)
    with open_engine(settings.warehouse_dsn) as engine:
        with open_reader(engine) as reader:
            predictions, reasons = predictor.predict(reader, shard)
        relabelled = _write(engine, lake, shard, predictions, reasons)
    return ShardSummary(read=predictions.num_rows, relabelled=relabelled, seconds=round(time.monotonic() - started, 3))


def finish_relabelling(model: PinnedModel, settings: Settings) -> RelabelSummary:
    """Relabel what was published with another version's label meanwhile, and sum up what the relabelling changed.

    The summary is read from the warehouse: it is that of the whole relabelling, however often it was interrupted.
    """
    from include.warehouse.engine import open_engine
    from include.warehouse.search_index import refresh_search

    for _ in range(SWEEPS):
        shards = plan_relabelling(model, settings, arrivals=True)
        if not shards:
            break
        _relabel_all(shards, model, settings, lambda _shard: None)
    others = count_arrivals(model, settings)
    with open_engine(settings.warehouse_dsn) as engine:
        refresh_search(engine)
        summary = relabel_summary(engine, model["version"], others=others)
    if summary["others"]:
        logger.warning("%d products came meanwhile and have another version's label", summary["others"])
    else:
        remove_older_reasons(Lake(settings.lake_root), model["version"], model["pinned_at"])
    return summary


def relabel_catalogue(
    settings: Settings,
    version: str | None = None,
    *,
    on_plan: Callable[[PinnedModel, list[RelabelShard]], None] = lambda _model, _shards: None,
    on_shard: Callable[[RelabelShard], None] = lambda _shard: None,
) -> RelabelSummary:
    """The whole relabelling in this process; `on_plan` is called with the plan, `on_shard` with each finished shard.

    Raises what `pin_version` raises, before anything is written.
    """
    model = pin_version(settings, version)
    shards = plan_relabelling(model, settings)
    on_plan(model, shards)
    _relabel_all(shards, model, settings, on_shard)
    return finish_relabelling(model, settings)


def _relabel_all(
    shards: list[RelabelShard], model: PinnedModel, settings: Settings, on_shard: Callable[[RelabelShard], None]
) -> None:
    """One shard after the other: while the warehouse writes one, the next is predicted."""
    from include.warehouse.copying_out import open_reader
    from include.warehouse.engine import open_engine

    if not shards:
        return
    predictor = CataloguePredictor(model, settings)
    lake = Lake(settings.lake_root)
    with (
        open_engine(settings.warehouse_dsn) as engine,
        open_reader(engine) as reader,
        ThreadPoolExecutor(1, thread_name_prefix="relabel") as writer,
    ):
        writing: tuple[RelabelShard, Future[int]] | None = None
        for shard in shards:
            predictions, reasons = predictor.predict(reader, shard)
            if writing:
                writing[1].result()
                on_shard(writing[0])
            writing = shard, writer.submit(_write, engine, lake, shard, predictions, reasons)
        if writing:
            writing[1].result()
            on_shard(writing[0])


def _write(engine: Engine, lake: Lake, shard: RelabelShard, predictions: pa.Table, reasons: pa.Table) -> int:
    """Write the shard's reasons, and then its labels: whoever finds a label finds why."""
    from include.warehouse.relabelling import write_predictions

    if reasons.num_rows:
        part = slice_of(shard)
        path = reasons_file(
            shard["model"]["version"],
            part.source,
            shard["model"]["pinned_at"],
            (part.first_day, part.last_day),
            (part.first_id, part.before_id),
        )
        with lake.parquet_writer(path, RELABELLING_REASONS) as writer:
            write_sorted(writer, [reasons], "product_id")
    relabelled = write_predictions(engine, slice_of(shard), predictions) if predictions.num_rows else 0
    logger.info(
        "relabelled %s: model_version=%s read=%d relabelled=%d",
        shard["name"], shard["model"]["version"], predictions.num_rows, relabelled,
    )  # fmt: skip
    return relabelled
