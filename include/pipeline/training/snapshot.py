"""Step 1 of a retraining: the trusted labels of all products as of a day, divided into training and gold, for good."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import TypedDict

import pyarrow as pa
import pyarrow.compute as pc

from include.code_version import code_version
from include.models.data.gold_set import LEFT_OUT, assign
from include.models.data.snapshot import SNAPSHOT, Manifest, write_snapshot
from include.models.decision.written_rules import rule_labels
from include.pipeline.text_features import documents_of
from include.pipeline.training.training_rows import files_until, labelled_rows, newest_photos
from include.schema import text_hash
from include.settings import Settings
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import load_taxonomy
from include.warehouse.engine import open_engine
from include.warehouse.reviews import read_reviews, reviews_query

logger = logging.getLogger(__name__)

GOLD_SET = f"{Layer.GOLD_SET}/part-00000.parquet"
"""The side that every content key was assigned to, once and for all: columns key and is_gold."""
_SIDES = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("is_gold", pa.bool_(), nullable=False)])


class SnapshotSummary(TypedDict):
    """What a snapshot holds, at a glance."""

    snapshot: str
    as_of: str
    training: int
    gold: int
    left_out: dict[str, int]


def take_snapshot(settings: Settings, as_of: date) -> SnapshotSummary:
    """Keep the trusted labels of all products as they stood at the end of a day (UTC).

    The same labels give the same snapshot, whenever it is taken. Call it within `exclusive_lock(engine, "decision")`:
    the gold set is read, extended and written back.
    """
    lake = Lake(settings.lake_root)
    taxonomy = load_taxonomy()
    before = datetime.combine(as_of + timedelta(days=1), time(), UTC)
    with open_engine(settings.warehouse_dsn) as engine:
        reviews = read_reviews(engine, before)
    found = labelled_rows(lake, reviews, taxonomy, as_of)
    rows = _with_content(lake, found.products, as_of)
    found.left_out["without_content"] = found.products.num_rows - rows.num_rows
    assignment = assign(
        rows["product_id"].to_pylist(),
        rows["text_hash"].to_pylist(),
        rows["photo_sha256"].to_pylist(),
        settings.gold_share,
        read_gold_set(lake),
    )
    # What is known of the gold set is kept before the snapshot that rests on it.
    write_gold_set(lake, assignment.sides)
    rows = rows.append_column("rule_label", pa.array(rule_labels(rows), pa.string()))
    rows = rows.append_column("content_group", pa.array(assignment.groups, pa.string()))
    rows = rows.append_column("part", pa.array(assignment.parts, pa.string()))
    table = rows.filter(pc.not_equal(rows["part"], LEFT_OUT)).select(SNAPSHOT.names).cast(SNAPSHOT)
    manifest = write_snapshot(
        lake,
        table.combine_chunks(),
        as_of=as_of.isoformat(),
        left_out=+(found.left_out + Counter({"between_gold_and_training": assignment.parts.count(LEFT_OUT)})),
        taxonomy_identity=taxonomy.identity,
        gold_share=settings.gold_share,
        query={
            "products": found.files,
            "photos": files_until(lake, Layer.IMAGES, as_of),
            "reviews": reviews_query(before),
        },
        code_version=code_version(),
    )
    return summary_of(manifest, as_of)


def summary_of(manifest: Manifest, as_of: date) -> SnapshotSummary:
    """The summary of a snapshot that was taken, or found again, as of a day."""
    return SnapshotSummary(
        snapshot=manifest.snapshot,
        as_of=as_of.isoformat(),
        training=manifest.products.get("training", 0),
        gold=manifest.products.get("gold", 0),
        left_out=dict(manifest.left_out),
    )


def _with_content(lake: Lake, products: pa.Table, as_of: date) -> pa.Table:
    """The rows with the hashes of their text and photo; those without either are dropped.

    A photo with several labels is a placeholder, most often: it teaches nothing, and would tie products
    together that have nothing in common.
    """
    documents = documents_of(products)
    photos = newest_photos(lake, products["product_id"], as_of)
    labels: dict[str, set[str]] = defaultdict(set)
    for photo, label in zip(photos, products["label"].to_pylist(), strict=True):
        if photo is not None:
            labels[photo].add(label)
    photos = [photo if photo is not None and len(labels[photo]) == 1 else None for photo in photos]
    texts = [text_hash(text) if text else None for text in documents]
    table = products.append_column("text_hash", pa.array(texts, pa.string()))
    table = table.append_column("photo_sha256", pa.array(photos, pa.string()))
    return table.filter(pc.or_(table["text_hash"].is_valid(), table["photo_sha256"].is_valid()))


def read_gold_set(lake: Lake) -> dict[str, bool]:
    """The side of every content key that was ever assigned; True is gold."""
    if not lake.exists(GOLD_SET):
        return {}
    table = lake.read_parquet(GOLD_SET)
    return dict(zip(table["key"].to_pylist(), table["is_gold"].to_pylist(), strict=True))


def write_gold_set(lake: Lake, sides: dict[str, bool]) -> None:
    """Replace what is known of the gold set; nothing is written when it is known already."""
    if sides == read_gold_set(lake):
        return
    keys = sorted(sides)
    lake.write_parquet(GOLD_SET, pa.table([keys, [sides[key] for key in keys]], schema=_SIDES))
    logger.info("gold set extended: keys=%d gold=%d", len(keys), sum(sides.values()))
