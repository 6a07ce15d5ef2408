"""Step 2: turn landed records into validated products and quarantine rows, and judge the batch as a whole."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from typing import TypedDict, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from include.pipeline.daily.batch_report import report_batch
from include.pipeline.daily.earlier_batches import known_content, recent_volumes, stored_products, without_known_content
from include.quality.batch_limits import BatchLimits
from include.quality.checkpoint import BatchCounts, validate_products
from include.quality.row_rules import RowRules, failed_record
from include.record_guard import RecordGuard
from include.schema import PRODUCTS, QUARANTINE, Product, Rejection
from include.settings import Settings
from include.sources import get_source
from include.sources.landing import Landing
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

AnyRecord = TypeVar("AnyRecord", Product, Rejection)

CHUNK_ROWS = 5_000


class ValidationSummary(TypedDict):
    """Counts of one validated batch."""

    received: int
    unchanged: int
    products: int
    quarantined: int
    reasons: dict[str, int]
    report: str
    seconds: float


def validate_day(batch: Batch, settings: Settings, *, allow_empty: bool = False) -> ValidationSummary:
    """Validate what was landed of a batch, and write its products and quarantine.

    Raises BatchRejected if the batch broke a batch rule, as one does that would leave the day without the products of
    an earlier run, unless `allow_empty`: the report is written, and the products of that run stay as they were.
    """
    lake = Lake(settings.lake_root)
    reader = get_source(batch.source)
    unchanged = Counter[str]()
    known = {} if reader.incremental else known_content(lake, batch)
    with RecordGuard(batch.source) as guard:
        records: Iterable[Product | Rejection] = reader.read(batch.day, Landing(lake, batch), guard)
        if not reader.incremental:
            records = without_known_content(records, known, unchanged, guard)
        return validate_records(
            records,
            batch,
            settings,
            unchanged=unchanged,
            stored=stored_products(lake, batch, known),
            allow_empty=allow_empty,
            guard=guard,
        )


def batch_limits(settings: Settings) -> BatchLimits:
    """The limits of a batch, as the settings give them."""
    return BatchLimits(
        max_rejected_share=settings.max_rejected_share,
        min_volume_share=settings.min_volume_share,
        max_volume_ratio=settings.max_volume_ratio,
        freshness_days=settings.freshness_days,
    )


def validate_records(
    records: Iterable[Product | Rejection],
    batch: Batch,
    settings: Settings,
    *,
    unchanged: Counter[str] | None = None,
    is_feed: bool = True,
    stored: int = 0,
    allow_empty: bool = False,
    guard: RecordGuard | None = None,
) -> ValidationSummary:
    """Apply row rules and batch rules to a stream of records and put the result in its place in the lake.

    Memory holds one chunk of records, whatever the size of the batch. `unchanged` is counted up by the stream
    itself. A catalogue file is no feed (`is_feed=False`): it has no earlier days to compare with, and may be old.
    `stored` products of an earlier run of the day may go without a successor only with `allow_empty`. `guard` is that
    of the stream, if it has one. Raises RecordTooSlow for a record that hangs.
    """
    started = time.monotonic()
    lake = Lake(settings.lake_root)
    staged_products = batch.staged_file(Layer.PRODUCTS)
    staged_quarantine = batch.staged_file(Layer.QUARANTINE)
    with nullcontext(guard) if guard else RecordGuard(batch.source) as ours, ours.watched():
        counts = _write_staged(records, lake, staged_products, staged_quarantine, settings.shard_size, ours)
    _warn_of_unknown_version(counts, batch)
    counts = replace(counts, unchanged=(unchanged or Counter())["unchanged"])
    judged = validate_products(
        lake,
        staged_products,
        staged_quarantine,
        batch.source,
        batch.day,
        counts=counts,
        history=recent_volumes(lake, batch) if is_feed else [],
        limits=batch_limits(settings),
        expect_fresh=is_feed,
        stored=stored,
        allow_empty=allow_empty,
    )
    report = report_batch(lake, judged)
    if report.success or counts.quarantined:
        # People must see what was set aside even when the batch as a whole is refused.
        lake.replace(staged_quarantine, batch.file(Layer.QUARANTINE))
    else:
        lake.delete(staged_quarantine)
    if not report.success:
        lake.delete(staged_products)
    is_emptied = any(failure.startswith("not_emptied") for failure in report.failures)
    report.raise_if_failed(_advice(batch, stored, is_feed) if is_emptied else "")
    if counts.products < stored / 2:
        logger.warning(
            "source=%s day=%s: the day had %d products and now has %d: the others go",
            batch.source,
            batch.day,
            stored,
            counts.products,
        )
    _put_products_in_place(lake, staged_products, batch.file(Layer.PRODUCTS), counts.products)
    logger.info(
        "validated source=%s day=%s products=%d quarantined=%d",
        batch.source,
        batch.day,
        counts.products,
        counts.quarantined,
    )
    return ValidationSummary(
        received=counts.received,
        unchanged=counts.unchanged,
        products=counts.products,
        quarantined=counts.quarantined,
        reasons=dict(sorted(counts.reasons.items())),
        report=report.report_path,
        seconds=round(time.monotonic() - started, 3),
    )


def _warn_of_unknown_version(counts: BatchCounts, batch: Batch) -> None:
    products, rejected = (found.get("unknown_schema_version", 0) for found in (counts.flags, counts.reasons))
    if products or rejected:
        logger.warning(
            "source=%s day=%s: %d products are in a version of the source's format that we do not know, and were read "
            "like the newest that we know; %d more could not be read: see what the source has changed",
            batch.source, batch.day, products, rejected,
        )  # fmt: skip


def _write_staged(
    records: Iterable[Product | Rejection],
    lake: Lake,
    products_path: str,
    quarantine_path: str,
    shard_size: int,
    guard: RecordGuard,
) -> BatchCounts:
    """Write kept and rejected records to two staged files; a row group of the products is one shard."""
    products = quarantined = 0
    reasons: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    with ExitStack() as stack:
        product_writer = stack.enter_context(lake.parquet_writer(products_path, PRODUCTS))
        quarantine_writer = stack.enter_context(lake.parquet_writer(quarantine_path, QUARANTINE))

        def put_aside(rejected: list[Rejection]) -> None:
            nonlocal quarantined
            if rejected:
                table, written, failed = _converted(rejected, QUARANTINE, guard)
                quarantine_writer.write_table(pa.concat_tables([table, _table(failed, QUARANTINE)]))
                quarantined += len(rejected)
                reasons.update(reason for rejection in written + failed for reason in rejection.reasons)

        def keep(shard: list[Product]) -> None:
            nonlocal products
            kept, failed = _write_row_group(product_writer, shard, guard)
            products += len(kept)
            flags.update(flag for product in kept for flag in product.flags)
            put_aside(failed)

        waiting: list[Product] = []
        for kept, rejected in RowRules(guard=guard).apply(records, chunk_rows=CHUNK_ROWS):
            waiting.extend(kept)
            while len(waiting) >= shard_size:
                keep(waiting[:shard_size])
                del waiting[:shard_size]
            put_aside(rejected)
        if waiting:
            keep(waiting)
    return BatchCounts(products=products, quarantined=quarantined, reasons=dict(reasons), flags=dict(flags))


def _write_row_group(
    writer: pq.ParquetWriter, products: list[Product], guard: RecordGuard
) -> tuple[list[Product], list[Rejection]]:
    """Write products as one row group; returns those written, and those of which no row can be made, set aside."""
    table, kept, failed = _converted(products, PRODUCTS, guard)
    if kept:
        writer.write_table(table, row_group_size=len(kept))
    return kept, failed


def _converted(
    records: list[AnyRecord], schema: pa.Schema, guard: RecordGuard
) -> tuple[pa.Table, list[AnyRecord], list[Rejection]]:
    """Records as rows of a table, those that are in it, and rejections in the place of those that make no row."""
    try:
        return _table(records, schema), records, []
    except MemoryError:
        raise
    except Exception:
        kept, failed = [], []
    for record in records:
        try:
            _table([record], schema)
        except MemoryError:
            raise
        except Exception as error:
            failed.append(failed_record(record, error, guard, f"id {str(record.native_id)[:60]}"))
        else:
            kept.append(record)
    return _table(kept, schema), kept, failed


def _table(records: Sequence[Product | Rejection], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([record.to_row() for record in records], schema=schema)


def _put_products_in_place(lake: Lake, staged: str, target: str, count: int) -> None:
    if count:
        lake.replace(staged, target)
    else:
        lake.delete(staged)
        lake.delete(target)


def _advice(batch: Batch, stored: int, is_feed: bool) -> str:
    by_command = (
        f"`python -m include run-day {batch.day} --source {batch.source} --allow-empty`"
        if is_feed
        else f"`python -m include import PATH --day {batch.day} --source {batch.source} --allow-empty`"
    )
    or_by_airflow = ", or trigger champagne_daily with the param allow_empty" if is_feed else ""
    return (
        f"The {stored:,} products of the earlier run are kept. If the day really has no more than this, confirm it: "
        f"{by_command}{or_by_airflow}."
    )
