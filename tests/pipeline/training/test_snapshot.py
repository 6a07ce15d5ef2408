"""A snapshot holds what was known at the end of its day, and nothing that came later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, insert

from include.models.data.snapshot import Snapshot, read_snapshot
from include.pipeline.retraining.judge import require_no_leak
from include.pipeline.training.snapshot import read_gold_set, take_snapshot
from include.schema import IMAGES, PRODUCTS, Product, text_hash
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.tables import label_reviews

MONDAY = date(2026, 1, 5)
SUNDAY = date(2026, 1, 11)
NEXT_SUNDAY = date(2026, 1, 18)


def product(number: int, **changed: Any) -> Product:
    facts: dict[str, Any] = {"name": f"Tin number {number}", "source_category": "Watches"}
    return Product("shop", str(number), **facts | changed)


def deliver(settings: Settings, day: date, *products: Product, photos: dict[str, str] | None = None) -> None:
    """Put a validated day into the lake; `photos` has the photo's hash by native id."""
    lake = Lake(settings.lake_root)
    lake.write_parquet(
        Batch("shop", day).file(Layer.PRODUCTS), pa.Table.from_pylist([one.to_row() for one in products], PRODUCTS)
    )
    rows = [
        {"product_id": f"shop:{number}", "image_url": None, "status": "ok", "sha256": sha256, "width": 1, "height": 1,
         "bytes": b""}
        for number, sha256 in (photos or {}).items()
    ]  # fmt: skip
    lake.write_parquet(Batch("shop", day).file(Layer.IMAGES), pa.Table.from_pylist(rows, IMAGES))


def review(engine: Engine, product_id: str, label: str, day: date) -> None:
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    row = {"product_id": product_id, "label": label, "previous_label": "watches", "reviewer": "Ana", "comment": ""}
    with engine.begin() as connection:
        connection.execute(insert(label_reviews).values(**row, reviewed_at=moment))


def snapshot(settings: Settings, as_of: date) -> Snapshot:
    return read_snapshot(Lake(settings.lake_root), take_snapshot(settings, as_of)["snapshot"])


def labels(found: Snapshot) -> dict[str, tuple[str, str]]:
    rows = (found.table[name].to_pylist() for name in ("product_id", "label", "origin"))
    return {product_id: (label, origin) for product_id, label, origin in zip(*rows, strict=True)}


@pytest.fixture
def settings(warehouse_settings: Settings) -> Settings:
    return warehouse_settings.model_copy(update={"gold_share": 0.3})


def test_a_past_week_is_the_same_whenever_it_is_taken(settings: Settings, warehouse: Engine) -> None:
    deliver(settings, MONDAY, *(product(number) for number in range(20)))
    before = take_snapshot(settings, SUNDAY)
    deliver(settings, MONDAY + timedelta(days=7), product(3, source_category="Computers"), product(40))
    review(warehouse, "shop:5", "computers", NEXT_SUNDAY)
    after = take_snapshot(settings, NEXT_SUNDAY)
    assert after["snapshot"] != before["snapshot"]
    assert take_snapshot(settings, SUNDAY) == before

    found = labels(snapshot(settings, NEXT_SUNDAY))
    assert found["shop:3"] == ("computers", "catalogue")
    assert found["shop:5"] == ("computers", "human")
    assert found["shop:40"] == ("watches", "catalogue")


def test_the_newest_decision_of_a_person_counts_until_the_day(settings: Settings, warehouse: Engine) -> None:
    deliver(settings, MONDAY, *(product(number) for number in range(5)))
    review(warehouse, "shop:1", "beauty", MONDAY)
    review(warehouse, "shop:1", "computers", SUNDAY)
    review(warehouse, "shop:1", "baby_care", NEXT_SUNDAY)
    assert labels(snapshot(settings, MONDAY))["shop:1"] == ("beauty", "human")
    assert labels(snapshot(settings, SUNDAY))["shop:1"] == ("computers", "human")


def test_what_is_left_out_is_counted_by_reason(settings: Settings, warehouse: Engine) -> None:
    deliver(settings, MONDAY, product(1), product(2, source_category=None), product(3, name=None))
    review(warehouse, "shop:9", "beauty", MONDAY)
    review(warehouse, "shop:1", "a label of old", MONDAY)
    summary = take_snapshot(settings, SUNDAY)
    assert summary["left_out"] == {
        "label_not_in_taxonomy": 1, "no_trusted_label": 1, "reviewed_but_not_in_the_lake": 1, "without_content": 1,
    }  # fmt: skip
    assert summary["training"] + summary["gold"] == 1


def test_gold_never_moves_and_is_never_trained_on_when_weeks_bring_ties(settings: Settings, warehouse: Engine) -> None:
    photos = {str(number): text_hash(f"photo {number}") for number in range(60)}
    deliver(settings, MONDAY, *(product(number) for number in range(60)), photos=photos)
    first = snapshot(settings, SUNDAY)
    require_no_leak(first)
    parts = dict(zip(first.table["product_id"].to_pylist(), first.table["part"].to_pylist(), strict=True))
    assert 5 < list(parts.values()).count("gold") < 35

    gold = next(key for key, part in parts.items() if part == "gold").removeprefix("shop:")
    trained = next(key for key, part in parts.items() if part == "training").removeprefix("shop:")
    ties = {"100": photos[trained], "101": photos[gold], "102": text_hash("a new photo")}
    deliver(
        settings,
        MONDAY + timedelta(days=7),
        product(100, name=f"Tin number {gold}"),  # the text of a gold product, the photo of a trained one
        product(101),
        product(102, name=f"Tin number {trained}"),
        photos=ties,
    )
    second = snapshot(settings, NEXT_SUNDAY)
    require_no_leak(second)
    later = dict(zip(second.table["product_id"].to_pylist(), second.table["part"].to_pylist(), strict=True))
    assert later == parts | {"shop:101": "gold", "shop:102": "training"}
    assert second.manifest.left_out == {"between_gold_and_training": 1}


def test_a_photo_under_several_labels_ties_nothing_together(settings: Settings, warehouse: Engine) -> None:
    placeholder = {str(number): text_hash("no picture") for number in range(40)}
    products = [product(n, source_category="Watches" if n % 2 else "Computers") for n in range(40)]
    deliver(settings, MONDAY, *products, photos=placeholder)
    found = snapshot(settings, SUNDAY)
    assert found.table["photo_sha256"].null_count == 40
    assert len(set(found.table["content_group"].to_pylist())) == 40
    assert set(found.manifest.products) == {"gold", "training"}


def test_the_manifest_tells_where_the_rows_came_from(settings: Settings, warehouse: Engine) -> None:
    deliver(settings, MONDAY, product(1))
    deliver(settings, NEXT_SUNDAY, product(2))
    query = snapshot(settings, SUNDAY).manifest.query
    assert query["products"] == [Batch("shop", MONDAY).file(Layer.PRODUCTS)]
    assert "label_reviews" in query["reviews"]
    assert "2026-01-12 00:00:00" in query["reviews"]


def test_without_any_label_the_snapshot_is_empty(settings: Settings, warehouse: Engine) -> None:
    summary = take_snapshot(settings, SUNDAY)
    assert (summary["training"], summary["gold"]) == (0, 0)
    assert read_gold_set(Lake(settings.lake_root)) == {}
