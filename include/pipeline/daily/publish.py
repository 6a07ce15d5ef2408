"""Step 5: check a day's labels, put them in the lake as one file, and load them into the warehouse."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict

import pyarrow as pa

from include.errors import StepMissing
from include.pipeline.daily.batch_report import report_batch
from include.pipeline.daily.drift import watch_day
from include.pipeline.daily.shards import remove_surplus_photos, shard_count, staged_labels_path
from include.schema import LABELS
from include.settings import Settings
from include.storage.lake import Lake
from include.taxonomy import Taxonomy, load_taxonomy

logger = logging.getLogger(__name__)


class PublishSummary(TypedDict):
    """Counts of a published day, as they stand in the table `batches`."""

    labelled: int
    accepted: int
    reviewed: int
    quarantined: int
    training_labels: int
    photos: dict[str, int]
    warnings: int
    """Drift figures beyond their bounds."""
    report: str
    seconds: float


def publish_day(
    source: str,
    day: date,
    settings: Settings,
    *,
    earlier_steps: Mapping[str, Mapping[str, Any]] | None = None,
    allow_empty: bool = False,
) -> PublishSummary:
    """Publish the staged labels of a source and day to Parquet and to the warehouse.

    `earlier_steps` maps a step's name to its summary (counts, seconds), for the batch's record. Raises
    BatchRejected if the labels break their expectations, or if the day has no product and published ones would go
    without `allow_empty`: then neither Parquet nor the warehouse changes.
    Raises WarehouseUnreachable after the Parquet file is in place; running this step again publishes it.
    """
    started = time.monotonic()
    lake = Lake(settings.lake_root)
    taxonomy = load_taxonomy()
    labels_path = put_labels_in_place(lake, source, day, taxonomy)
    counts = count_labels(lake, labels_path)
    model_version = _model_version(lake, labels_path)
    quarantine_path = Lake.day_file("quarantine", source, day)
    steps = dict(earlier_steps or {})

    from include.warehouse.batches import BatchRecord, record_batch
    from include.warehouse.engine import open_engine
    from include.warehouse.loading import load_day

    with open_engine(settings.warehouse_dsn) as engine:
        loaded = load_day(
            engine,
            lake,
            source,
            day,
            labels_path=labels_path,
            quarantine_path=quarantine_path if lake.exists(quarantine_path) else None,
            trusted=trusted_labels_of_day(lake, source, day, taxonomy),
            allow_empty=allow_empty,
        )
        drift = watch_day(lake, source, day, model_version, settings)
        summary = PublishSummary(
            labelled=counts["labelled"],
            accepted=counts["accepted"],
            reviewed=counts["review"],
            quarantined=loaded.quarantined,
            training_labels=loaded.training_labels,
            photos={key.removeprefix("photo_"): n for key, n in sorted(counts.items()) if key.startswith("photo_")},
            warnings=len(drift.warnings),
            report=str(steps.get("validate", {}).get("report", "")),
            seconds=round(time.monotonic() - started, 3),
        )
        steps["publish"] = summary
        record = BatchRecord.of_day(
            source, day, steps, model_version=model_version, drift=drift.figures, warnings=drift.warnings
        )
        record_batch(engine, record)
    # Only now is what it replaces of no use to anybody.
    if labels_path is None:
        lake.delete(Lake.day_file("labels", source, day))
    remove_surplus_photos(lake, source, day)
    clear_staged_labels(lake, source, day)
    lake.delete(Lake.partition("staging/images", source, day))
    lake.delete(Lake.partition("staging/embeddings", source, day))
    logger.info("published source=%s day=%s %s", source, day, dict(counts))
    return summary


def put_labels_in_place(lake: Lake, source: str, day: date, taxonomy: Taxonomy) -> str | None:
    """Merge the shards' labels into the day's file after checking them; returns its path, None for an empty day.

    When nothing is staged the day was published before, and its file is used as it is. Raises StepMissing when
    that file is not about the day's products: they were validated again since.
    """
    target = Lake.day_file("labels", source, day)
    shards = shard_count(lake, source, day)
    if shards == 0:
        return None
    staged = [staged_labels_path(source, day, number) for number in range(shards)]
    absent = [number for number, path in enumerate(staged) if not lake.exists(path)]
    if 0 < len(absent) < shards and absent[0] == 0 and _is_published(lake, target, source, day):
        logger.info("published before, up to the clearing of what was staged: source=%s day=%s", source, day)
        clear_staged_labels(lake, source, day)
        absent = list(range(shards))
    if len(absent) == shards and lake.exists(target):
        _require_same_products(lake, target, source, day)
        return target
    if absent:
        raise StepMissing(f"no labels of shards {absent} of {source} {day}: run classify for them first")

    from include.quality.checkpoint import validate_labels

    report_batch(lake, validate_labels(lake, staged, source, day, taxonomy.labels)).raise_if_failed()
    with lake.parquet_writer(target, LABELS) as writer:
        for path in staged:
            writer.write_table(lake.read_parquet(path))
    return target


def clear_staged_labels(lake: Lake, source: str, day: date) -> None:
    """Remove what `classify` staged of a day that is published.

    The first shard's labels go first: killed on the way, they are absent, which says that the rest is of no use.
    """
    lake.delete(staged_labels_path(source, day, 0))
    lake.delete(Lake.partition("staging/labels", source, day))


def _is_published(lake: Lake, labels_path: str, source: str, day: date) -> bool:
    """Whether the staged labels that are left of a day stand in its labels file, shard by shard."""
    if not lake.exists(labels_path):
        return False
    with (
        lake.parquet_file(labels_path) as labels,
        lake.parquet_file(Lake.day_file("products", source, day)) as products,
    ):
        if labels.num_row_groups != products.num_row_groups:
            return False
        for number in range(labels.num_row_groups):
            path = staged_labels_path(source, day, number)
            if lake.exists(path) and not lake.read_parquet(path).equals(labels.read_row_group(number)):
                return False
    return True


def _require_same_products(lake: Lake, labels_path: str, source: str, day: date) -> None:
    content = ["product_id", "content_hash"]
    products = lake.read_parquet(Lake.day_file("products", source, day), content)
    if not lake.read_parquet(labels_path, content).equals(products):
        raise StepMissing(f"the products of {source} {day} changed since they were classified: run embed and classify")


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


def trusted_labels_of_day(lake: Lake, source: str, day: date, taxonomy: Taxonomy) -> pa.Table | None:
    """Labels that the source or a written rule gives to the day's products; None for an empty day."""
    from include.models.data.trusted_labels import trusted_labels

    path = Lake.day_file("products", source, day)
    if not lake.exists(path):
        return None
    with lake.parquet_file(path) as file:
        return pa.concat_tables(
            trusted_labels(file.read_row_group(number), taxonomy) for number in range(file.num_row_groups)
        )
