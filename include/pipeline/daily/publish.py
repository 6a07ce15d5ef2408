"""Step 5: check a day's labels, put them in the lake as one file, and load them into the warehouse."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypedDict

import pyarrow as pa

from include.errors import StepMissing
from include.pipeline.daily.batch_report import report_batch
from include.pipeline.daily.drift import watch_day
from include.pipeline.daily.reasons import put_reasons_in_place
from include.pipeline.daily.shards import remove_surplus_photos, shard_count
from include.schema import LABELS
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import Taxonomy, load_taxonomy

logger = logging.getLogger(__name__)


class PublishSummary(TypedDict):
    """Counts of a published day, as the table `batches` has them."""

    labelled: int
    accepted: int
    reviewed: int
    quarantined: int
    training_labels: int
    photos: dict[str, int]
    warnings: int
    """Drift figures beyond their bounds."""
    model_version: str | None
    """The version that labelled the day; None for an empty one."""
    report: str
    seconds: float


def publish_day(
    batch: Batch,
    settings: Settings,
    *,
    earlier_steps: Mapping[str, Mapping[str, Any]] | None = None,
    allow_empty: bool = False,
) -> PublishSummary:
    """Publish the staged labels of a batch to Parquet and to the warehouse.

    `earlier_steps` maps a step's name to its summary (counts, seconds), for the batch's record. Raises
    BatchRejected if the labels break their expectations, or if the day has no product and published ones would go
    without `allow_empty`: then neither Parquet nor the warehouse changes.
    Raises WarehouseUnreachable after the Parquet file is in place; running this step again publishes it.
    """
    started = time.monotonic()
    lake = Lake(settings.lake_root)
    taxonomy = load_taxonomy()
    labels_path = put_labels_in_place(lake, batch, taxonomy)
    counts = count_labels(lake, labels_path)
    model_version = _model_version(lake, labels_path)
    quarantine_path = batch.file(Layer.QUARANTINE)
    steps = dict(earlier_steps or {})

    from include.warehouse.batches import BatchRecord, record_batch
    from include.warehouse.engine import open_engine
    from include.warehouse.loading import load_day
    from include.warehouse.search_index import refresh_search

    with open_engine(settings.warehouse_dsn) as engine:
        loaded = load_day(
            engine,
            lake,
            batch.source,
            batch.day,
            labels_path=labels_path,
            quarantine_path=quarantine_path if lake.exists(quarantine_path) else None,
            trusted=trusted_labels_of_day(lake, batch, taxonomy),
            allow_empty=allow_empty,
        )
        refresh_search(engine)  # before the clock is read: it is part of what the step takes
        drift = watch_day(lake, batch, model_version, settings)
        summary = PublishSummary(
            labelled=counts["labelled"],
            accepted=counts["accepted"],
            reviewed=counts["review"],
            quarantined=loaded.quarantined,
            training_labels=loaded.training_labels,
            photos={key.removeprefix("photo_"): n for key, n in sorted(counts.items()) if key.startswith("photo_")},
            warnings=len(drift.warnings),
            model_version=model_version,
            report=str(steps.get("validate", {}).get("report", "")),
            seconds=round(time.monotonic() - started, 3),
        )
        steps["publish"] = summary
        record = BatchRecord.of_day(
            batch.source, batch.day, steps, model_version=model_version, drift=drift.figures, warnings=drift.warnings
        )
        record_batch(engine, record)
    # Only now is what it replaces of no use to anybody.
    if labels_path is None:
        lake.delete(batch.file(Layer.LABELS))
        lake.delete(batch.file(Layer.REASONS))
    remove_surplus_photos(lake, batch)
    clear_staged_labels(lake, batch)
    lake.delete(batch.staged_folder(Layer.IMAGES))
    lake.delete(batch.staged_folder(Layer.EMBEDDINGS))
    logger.info("published source=%s day=%s %s", batch.source, batch.day, dict(counts))
    return summary


def put_labels_in_place(lake: Lake, batch: Batch, taxonomy: Taxonomy) -> str | None:
    """Merge the shards' labels into the day's file after checking them; returns its path, None for an empty day.

    When nothing is staged the day was published before, and its file is used as it is. Raises StepMissing when
    that file is not about the day's products: they were validated again since.
    """
    target = batch.file(Layer.LABELS)
    shards = shard_count(lake, batch)
    if shards == 0:
        return None
    staged = [batch.staged_file(Layer.LABELS, number) for number in range(shards)]
    absent = [number for number, path in enumerate(staged) if not lake.exists(path)]
    if 0 < len(absent) < shards and absent[0] == 0 and _is_published(lake, target, batch):
        logger.info(
            "published before, up to the clearing of what was staged: source=%s day=%s", batch.source, batch.day
        )
        clear_staged_labels(lake, batch)
        absent = list(range(shards))
    if len(absent) == shards and lake.exists(target):
        _require_same_products(lake, target, batch)
        return target
    if absent:
        raise StepMissing(f"no labels of shards {absent} of {batch}: run classify for them first")

    from include.quality.checkpoint import validate_labels

    report_batch(lake, validate_labels(lake, staged, batch.source, batch.day, taxonomy.labels)).raise_if_failed()
    with lake.parquet_writer(target, LABELS) as writer:
        for path in staged:
            writer.write_table(lake.read_parquet(path))
    put_reasons_in_place(lake, batch, shards)
    return target


def clear_staged_labels(lake: Lake, batch: Batch) -> None:
    """Remove what `classify` staged of a day that is published.

    The first shard's labels go first: if the process is killed on the way, their absence marks the rest as obsolete.
    """
    lake.delete(batch.staged_file(Layer.LABELS))
    lake.delete(batch.staged_folder(Layer.LABELS))
    lake.delete(batch.staged_folder(Layer.REASONS))


def _is_published(lake: Lake, labels_path: str, batch: Batch) -> bool:
    """Whether the labels file has the staged labels that are left of a day, shard by shard."""
    if not lake.exists(labels_path):
        return False
    with (
        lake.parquet_file(labels_path) as labels,
        lake.parquet_file(batch.file(Layer.PRODUCTS)) as products,
    ):
        if labels.num_row_groups != products.num_row_groups:
            return False
        for number in range(labels.num_row_groups):
            path = batch.staged_file(Layer.LABELS, number)
            if lake.exists(path) and not lake.read_parquet(path).equals(labels.read_row_group(number)):
                return False
    return True


def _require_same_products(lake: Lake, labels_path: str, batch: Batch) -> None:
    content = ["product_id", "content_hash"]
    products = lake.read_parquet(batch.file(Layer.PRODUCTS), content)
    if not lake.read_parquet(labels_path, content).equals(products):
        raise StepMissing(f"the products of {batch} changed since they were classified: run embed and classify")


def count_labels(lake: Lake, path: str | None) -> Counter[str]:
    """Numbers of labelled, accepted and reviewed products and of photos by status (`photo_ok`, …)."""
    counts: Counter[str] = Counter(labelled=0, accepted=0, review=0)
    if path is None:
        return counts
    table = lake.read_parquet(path, ["decision", "photo_status"])
    counts["labelled"] = table.num_rows
    counts.update(table["decision"].to_pylist())
    counts.update(f"photo_{status}" for status in table["photo_status"].to_pylist())
    return counts


def _model_version(lake: Lake, path: str | None) -> str | None:
    if path is None:
        return None
    versions = lake.read_parquet(path, ["model_version"])["model_version"].unique().to_pylist()
    return str(versions[0])


def trusted_labels_of_day(lake: Lake, batch: Batch, taxonomy: Taxonomy) -> pa.Table | None:
    """Labels that the source or a written rule gives to the day's products; None for an empty day."""
    from include.models.data.trusted_labels import trusted_labels

    path = batch.file(Layer.PRODUCTS)
    if not lake.exists(path):
        return None
    with lake.parquet_file(path) as file:
        return pa.concat_tables(
            trusted_labels(file.read_row_group(number), taxonomy) for number in range(file.num_row_groups)
        )
