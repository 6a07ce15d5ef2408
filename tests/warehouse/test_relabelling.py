"""The catalogue in slices, and what is written and told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from include.schema import LABELS
from include.storage.lake import Lake
from include.warehouse.batches import BatchRecord, record_batch
from include.warehouse.copying_out import open_reader
from include.warehouse.relabelling import (
    BATCH_ROWS,
    CATALOGUE,
    LARGEST_BATCH,
    PREDICTED,
    TEXTS,
    CatalogueSlice,
    by_days,
    changes_of,
    count_by_day,
    new_predictions,
    read_slice,
    read_slice_texts,
    server_time,
    split_day,
    write_predictions,
)
from include.warehouse.reviews import record_review
from tests.warehouse.rows import labels_table
from tests.warehouse.test_loading import load, rows

SOURCE = "openfoodfacts"
DAYS = [date(2026, 1, day) for day in (5, 6, 7)]
WHOLE = CatalogueSlice(SOURCE, DAYS[0], DAYS[2])


@pytest.fixture
def catalogue(warehouse: Engine, lake: Lake) -> Engine:
    """Three days of ten products, the second brings three of the first again, all labelled by version 1."""
    load(warehouse, lake, DAYS[0], labels_table(range(10)))
    load(warehouse, lake, DAYS[1], labels_table(range(7, 17)))
    load(warehouse, lake, DAYS[2], labels_table(range(20, 30), label="vinegar", decision="review"))
    load(warehouse, lake, DAYS[2], labels_table(range(3), source="edamam"), source="edamam")
    return warehouse


def products_of(
    engine: Engine, part: CatalogueSlice, version: str, read: Callable[..., pa.Table] = read_slice
) -> pa.Table:
    with open_reader(engine) as reader:
        return read(reader, part, version)


def predicted(products: pa.Table, version: str = "2", **changes: Any) -> pa.Table:
    """What a model says that gives everything the same label."""
    given = labels_table(range(products.num_rows), model_version=version, **({"label": "sauce"} | changes))
    return new_predictions(products, {name: given[name] for name in PREDICTED})


def relabel(engine: Engine, part: CatalogueSlice = WHOLE, version: str = "2", **changes: Any) -> int:
    return write_predictions(engine, part, predicted(products_of(engine, part, version), version, **changes))


def test_a_slice_is_read_by_day_and_id_and_has_every_column(catalogue: Engine) -> None:
    table = products_of(catalogue, WHOLE, "2")
    assert table.schema.equals(CATALOGUE)
    found = table.to_pylist()
    assert [(row["last_seen_day"], row["product_id"]) for row in found] == sorted(
        (row["last_seen_day"], row["product_id"])
        for row in rows(catalogue, "labelled_products")
        if row["source"] == SOURCE
    )
    stored = {row["product_id"]: row for row in rows(catalogue, "labelled_products")}
    for row in found:
        expected = {name: stored[row["product_id"]][name] for name in CATALOGUE.names}
        assert row == expected | {"predicted_confidence": pytest.approx(expected["predicted_confidence"])}
    assert products_of(catalogue, WHOLE, "1").num_rows == 0
    texts = products_of(catalogue, WHOLE, "2", read_slice_texts)
    assert texts.schema.equals(TEXTS)
    assert texts.to_pylist() == [{name: stored[row["product_id"]][name] for name in TEXTS.names} for row in found]


def test_days_are_counted_and_a_large_one_is_split_without_gap_or_overlap(catalogue: Engine) -> None:
    assert count_by_day(catalogue, "2") == [
        ("edamam", DAYS[2], 3), (SOURCE, DAYS[0], 7), (SOURCE, DAYS[1], 10), (SOURCE, DAYS[2], 10),
    ]  # fmt: skip
    assert count_by_day(catalogue, "1") == []
    parts = split_day(catalogue, "2", SOURCE, DAYS[1], 4)
    read = [products_of(catalogue, part, "2")["product_id"].to_pylist() for part, _products in parts]
    assert [len(part) for part in read] == [products for _part, products in parts] == [3, 3, 2, 2]
    assert [one for part in read for one in part] == [
        f"{SOURCE}:{3_000_000_000_000 + number}" for number in range(7, 17)
    ]
    assert len(split_day(catalogue, "2", SOURCE, DAYS[1], 99)) == 10


def test_only_days_that_were_published_meanwhile_are_counted_again(catalogue: Engine) -> None:
    record_batch(catalogue, BatchRecord(SOURCE, DAYS[0], "daily"))
    since = server_time(catalogue)
    assert count_by_day(catalogue, "2", since) == []
    record_batch(catalogue, BatchRecord(SOURCE, DAYS[1], "daily"))
    record_batch(catalogue, BatchRecord("edamam", DAYS[2], "daily"))
    record_batch(catalogue, BatchRecord("edamam", DAYS[0], "daily"))
    assert count_by_day(catalogue, "2", since) == [("edamam", DAYS[2], 3), (SOURCE, DAYS[1], 10)]
    assert count_by_day(catalogue, "1", since) == []


def test_parts_end_with_a_day_where_they_can() -> None:
    sizes = [BATCH_ROWS // 2, BATCH_ROWS // 2 + 1, 10, LARGEST_BATCH + 7, 3]
    days = [DAYS[0] + timedelta(days=number) for number, size in enumerate(sizes) for _ in range(size)]
    numbers = pa.array(map(str, range(len(days))))
    columns = [
        pa.array(days, pa.date32()) if name == "last_seen_day"
        else numbers if name == "product_id"
        else pa.nulls(len(days), CATALOGUE.field(name).type)
        for name in CATALOGUE.names
    ]  # fmt: skip
    parts = list(by_days(pa.table(columns, CATALOGUE)))
    assert [one for part in parts for one in part["product_id"].to_pylist()] == numbers.to_pylist()
    assert [part.num_rows for part in parts] == [BATCH_ROWS + 1, LARGEST_BATCH, 20]
    assert list(by_days(CATALOGUE.empty_table())) == []


def test_everything_predicted_is_replaced_and_all_else_is_left(catalogue: Engine) -> None:
    before = {row["product_id"]: row for row in rows(catalogue, "labelled_products")}
    told = predicted(products_of(catalogue, WHOLE, "2")).to_pylist()
    assert relabel(catalogue) == len(told) == 27
    after = {row["product_id"]: row for row in rows(catalogue, "labelled_products")}
    for one in told:
        row = after[one["product_id"]]
        new = {name: one[name] for name in PREDICTED if name != "top_labels"}
        new |= {"predicted_label": one["label"]}
        new |= {name: pytest.approx(one["confidence"]) for name in ("confidence", "predicted_confidence")}
        assert row == before[one["product_id"]] | {"top_labels": row["top_labels"]} | new
    untouched = [one for one in before if one not in {row["product_id"] for row in told}]
    assert len(untouched) == 3
    assert all(after[one] == before[one] for one in untouched)
    assert relabel(catalogue) == 0


def test_history_has_the_label_of_the_version_on_the_products_last_day(catalogue: Engine) -> None:
    relabel(catalogue)
    found = [row for row in rows(catalogue, "label_history") if row["model_version"] == "2"]
    seen = {row["product_id"]: row["last_seen_day"] for row in rows(catalogue, "labelled_products")}
    assert len(found) == 27
    assert all(row["first_day"] == row["last_day"] == seen[row["product_id"]] for row in found)
    assert {row["label"] for row in found} == {"sauce"}
    relabel(catalogue, version="3")
    relabel(catalogue, label="juice")
    again = [row for row in rows(catalogue, "label_history") if row["model_version"] == "2"]
    assert [row | {"label": "sauce"} for row in again] == found
    assert {row["label"] for row in again} == {"juice"}


def test_what_is_told_adds_up_to_what_was_written(catalogue: Engine) -> None:
    human = f"{SOURCE}:3000000000001"
    record_review(catalogue, human, "juice", department="Fine Grocery", reviewer="ana")
    for part in (CatalogueSlice(SOURCE, DAYS[0], DAYS[1]), CatalogueSlice(SOURCE, DAYS[2], DAYS[2])):
        relabel(catalogue, part, decision="accepted")
    found = changes_of(catalogue, "2")
    assert sum(row["products"] for row in found) == 27
    by_kind = Counter({
        (row["decided_by"], row["label_before"], row["label_after"], row["decision_before"], row["decision_after"]):
        int(row["products"]) for row in found
    })  # fmt: skip
    # Every fifth of the first days was for review.
    assert by_kind == {
        ("model", "champagne", "sauce", "accepted", "accepted"): 12,
        ("model", "champagne", "sauce", "review", "accepted"): 4,
        ("human", "champagne", "sauce", "accepted", "accepted"): 1,
        ("model", "vinegar", "sauce", "review", "accepted"): 10,
    }
    examples = found[0]["examples"]
    assert len(examples) == 3
    assert examples[0].keys() == {"product_id", "name", "confidence_before", "confidence_after"}


def test_only_the_last_relabelling_to_a_version_is_told(catalogue: Engine) -> None:
    assert changes_of(catalogue, "2") == []
    relabel(catalogue, CatalogueSlice(SOURCE, DAYS[0], DAYS[1]), "2")
    relabel(catalogue, WHOLE, "3", label="juice")
    relabel(catalogue, WHOLE, "2")
    assert sum(row["products"] for row in changes_of(catalogue, "2")) == 27
    assert {row["previous_version"] for row in changes_of(catalogue, "2")} == {"3"}
    assert {row["previous_version"] for row in changes_of(catalogue, "3")} == {"1", "2"}


@pytest.mark.parametrize(
    "change",
    ["content_hash = 'new'", "photo_sha256 = 'new'", "photo_sha256 = NULL", "model_version = '9'",
     "last_seen_day = '2026-02-01'"],
)  # fmt: skip
def test_a_product_that_is_not_as_it_was_read_is_left_alone(catalogue: Engine, change: str) -> None:
    told = predicted(products_of(catalogue, WHOLE, "2"))
    changed = f"{SOURCE}:3000000000001"
    with catalogue.begin() as connection:
        connection.execute(text(f"UPDATE labelled_products SET {change} WHERE product_id = :id"), {"id": changed})  # noqa: S608
    before = {row["product_id"]: row for row in rows(catalogue, "labelled_products")}[changed]
    assert write_predictions(catalogue, WHOLE, told) == 26
    assert {row["product_id"]: row for row in rows(catalogue, "labelled_products")}[changed] == before
    assert sum(row["products"] for row in changes_of(catalogue, "2")) == 26
    assert not [
        row for row in rows(catalogue, "label_history") if (row["product_id"], row["model_version"]) == (changed, "2")
    ]


def test_the_schema_of_predictions_is_that_of_the_labels() -> None:
    assert set(PREDICTED) <= set(LABELS.names)
