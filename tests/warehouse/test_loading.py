"""A day is loaded whole or not at all, in any order, any number of times, and never over a person's decision."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from include.errors import BatchRejected
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.loading import LoadCounts, load_day, load_import
from include.warehouse.reviews import record_review
from tests.warehouse.rows import labels_table, quarantine_row, quarantine_table, trusted_table

SOURCE = "openfoodfacts"
DAYS = [date(2026, 1, day) for day in (5, 6, 7)]
ORDERS = {
    "labelled_products": "product_id",
    "label_history": "product_id, content_hash, model_version",
    "quarantined_products": "source, day, rejection_id",
    "training_labels": "product_id, origin",
}


def rows(engine: Engine, table: str) -> list[dict[str, Any]]:
    """All rows of a table in a fixed order."""
    with engine.connect() as connection:
        query = text(f"SELECT * FROM {table} ORDER BY {ORDERS[table]}")  # noqa: S608
        return [dict(row) for row in connection.execute(query).mappings()]


def state(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables that a load writes."""
    return {table: rows(engine, table) for table in ORDERS}


def row_versions(engine: Engine, table: str) -> list[Any]:
    """Where PostgreSQL keeps each row and which transaction wrote it: changes whenever a row is written."""
    with engine.connect() as connection:
        query = text(f"SELECT ctid::text, xmin::text FROM {table} ORDER BY {ORDERS[table]}")  # noqa: S608
        return [tuple(row) for row in connection.execute(query)]


def load(
    engine: Engine,
    lake: Lake,
    day: date,
    labels: pa.Table | None = None,
    quarantine: pa.Table | None = None,
    trusted: pa.Table | None = None,
    source: str = SOURCE,
    allow_empty: bool = False,
) -> LoadCounts:
    """Write the day's files and load them."""
    paths: dict[str, str | None] = {}
    for layer, table in (("labels", labels), ("quarantine", quarantine)):
        paths[layer] = None if table is None else Batch(source, day).file(Layer(layer))
        if table is not None:
            lake.write_parquet(Batch(source, day).file(Layer(layer)), table, row_group_rows=2)
    return load_day(
        engine,
        lake,
        source,
        day,
        labels_path=paths["labels"],
        quarantine_path=paths["quarantine"],
        trusted=trusted,
        allow_empty=allow_empty,
    )


def load_three_days(engine: Engine, lake: Lake, order: tuple[int, ...]) -> None:
    """Days that share products, facts, quarantine and training labels, and contradict each other."""
    rule, tag = "rule", "source_tag"
    first, second = f"{SOURCE}:3000000000001", f"{SOURCE}:3000000000002"
    batches = {
        0: (
            labels_table([1, 2, 3]),
            quarantine_table(quarantine_row(1), quarantine_row(2)),
            trusted_table((first, "champagne", tag), (second, "champagne", rule)),
        ),
        1: (
            labels_table([2, 3, 4], name="renamed", content_hash="new", label="vinegar", model_version="2"),
            None,
            trusted_table((second, "vinegar", tag)),
        ),
        2: (
            labels_table([3, 1], name="again", confidence=0.25, decision="review"),
            quarantine_table(quarantine_row(3)),
            trusted_table((first, "juice", tag)),
        ),
    }
    for number in order:
        load(engine, lake, DAYS[number], *batches[number])


def test_a_loaded_row_has_every_fact_of_its_parquet_row(warehouse: Engine, any_lake: Lake) -> None:
    labels = labels_table(range(1, 6))
    counts = load(warehouse, any_lake, DAYS[0], labels)
    assert counts == LoadCounts(labelled=5, quarantined=0, training_labels=0, removed=0)
    stored = rows(warehouse, "labelled_products")
    for row, original in zip(stored, labels.to_pylist(), strict=True):
        added = {name: row.pop(name) for name in row.keys() - original.keys()}
        assert row == {
            name: pytest.approx(value) if name == "confidence" else _rounded(value) for name, value in original.items()
        }
        assert added == {
            "source": SOURCE,
            "decided_by": "model",
            "predicted_label": original["label"],
            "predicted_confidence": pytest.approx(original["confidence"]),
            "first_seen_day": DAYS[0],
            "last_seen_day": DAYS[0],
        }


def _rounded(value: Any) -> Any:
    """Probabilities as they read: 0.97 is stored in 32 bits and written as 0.97."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{**item, "probability": pytest.approx(item["probability"])} for item in value]
    return value


def test_loading_a_day_again_writes_no_row_at_all(warehouse: Engine, lake: Lake) -> None:
    load_three_days(warehouse, lake, (0, 1, 2))
    before = state(warehouse)
    versions = {table: row_versions(warehouse, table) for table in ORDERS if table != "quarantined_products"}
    load_three_days(warehouse, lake, (2,))
    assert state(warehouse) == before
    assert {table: row_versions(warehouse, table) for table in versions} == versions


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_days_give_the_same_rows_in_any_order_and_any_number_of_times(
    make_warehouse: Callable[[], Engine],
    session_expectation: dict[str, list[dict[str, Any]]],
    lake: Lake,
    order: tuple[int, ...],
) -> None:
    engine = make_warehouse()
    load_three_days(engine, lake, order)
    assert state(engine) == session_expectation
    load_three_days(engine, lake, (order[0], order[2], order[0]))
    assert state(engine) == session_expectation


@pytest.fixture(scope="module")
def session_expectation(
    module_warehouse: Engine, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """What three days in their order leave."""
    load_three_days(module_warehouse, Lake(str(tmp_path_factory.mktemp("lake"))), (0, 1, 2))
    found = state(module_warehouse)
    days = {row["product_id"][-1]: (row["first_seen_day"], row["last_seen_day"]) for row in found["labelled_products"]}
    assert days == {
        "1": (DAYS[0], DAYS[2]), "2": (DAYS[0], DAYS[1]), "3": (DAYS[0], DAYS[2]), "4": (DAYS[1], DAYS[1]),
    }  # fmt: skip
    assert [row["name"] for row in found["labelled_products"]] == ["again", "renamed", "again", "renamed"]
    assert len(found["label_history"]) == 6
    assert [row["day"] for row in found["quarantined_products"]] == [DAYS[0], DAYS[0], DAYS[2]]
    trusted = [(row["product_id"][-1], row["origin"], row["label"], row["day"]) for row in found["training_labels"]]
    assert trusted == [("1", "source_tag", "juice", DAYS[2]), ("2", "source_tag", "vinegar", DAYS[1])]
    return found


def test_a_prediction_never_overwrites_a_persons_label_but_is_kept_beside_it(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, DAYS[0], labels_table([1, 2]))
    product_id = f"{SOURCE}:3000000000001"
    record_review(warehouse, product_id, "vinegar", department="Fine Grocery", reviewer="Ana")
    newer = labels_table([1, 2], label="juice", confidence=0.5, decision="review", name="new name", model_version="2")
    for day in (DAYS[1], DAYS[1], DAYS[2]):
        load(warehouse, lake, day, newer)
        reviewed, other = rows(warehouse, "labelled_products")
        decided = ("label", "decision", "confidence", "decided_by", "predicted_label", "predicted_confidence", "name")
        assert [reviewed[name] for name in decided] == ["vinegar", "accepted", 1.0, "human", "juice", 0.5, "new name"]
        assert [other[name] for name in decided] == ["juice", "review", 0.5, "model", "juice", 0.5, "new name"]
        assert reviewed["model_version"] == "2"


def test_a_reviewed_product_stays_when_a_rerun_of_its_day_no_longer_has_it(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, DAYS[0], labels_table([1, 2, 3]))
    record_review(warehouse, f"{SOURCE}:3000000000001", "vinegar", department="Fine Grocery", reviewer="Ana")
    counts = load(warehouse, lake, DAYS[0], labels_table([3]))
    assert counts.removed == 1
    assert [row["product_id"][-1] for row in rows(warehouse, "labelled_products")] == ["1", "3"]


def test_a_rerun_removes_only_products_that_no_other_day_or_source_has(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, DAYS[0], labels_table([1, 2]))
    load(warehouse, lake, DAYS[1], labels_table([2, 3]))
    load(warehouse, lake, DAYS[1], labels_table([9], source="edamam"), source="edamam")
    load(warehouse, lake, DAYS[1], labels_table([4]))
    assert [row["product_id"][-1] for row in rows(warehouse, "labelled_products")] == ["9", "1", "2", "4"]


def test_a_trusted_label_that_no_longer_holds_goes_with_the_rerun_and_a_persons_stays(
    warehouse: Engine, lake: Lake
) -> None:
    first, second = f"{SOURCE}:3000000000001", f"{SOURCE}:3000000000002"
    everything = trusted_table((first, "champagne", "rule"), (second, "champagne", "rule"))
    load(warehouse, lake, DAYS[0], labels_table([1, 2]), trusted=everything)
    record_review(warehouse, first, "vinegar", department="Fine Grocery", reviewer="Ana")
    load(warehouse, lake, DAYS[0], labels_table([1, 2]), trusted=trusted_table((second, "juice", "rule")))
    found = [(row["product_id"], row["label"], row["origin"]) for row in rows(warehouse, "training_labels")]
    assert found == [(first, "vinegar", "human"), (second, "juice", "rule")]


def test_a_day_that_became_empty_removes_the_products_that_only_it_had(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, DAYS[0], labels_table([1, 2]))
    load(warehouse, lake, DAYS[1], labels_table([2, 3]))
    for removed in (1, 0):
        assert load(warehouse, lake, DAYS[1], allow_empty=True).removed == removed
    assert [row["product_id"][-1] for row in rows(warehouse, "labelled_products")] == ["1", "2"]


def test_an_empty_day_removes_nothing_without_a_persons_word(warehouse: Engine, lake: Lake) -> None:
    trusted = trusted_table((f"{SOURCE}:1", "champagne", "source_tag"))
    load(warehouse, lake, DAYS[0], labels_table([1]), quarantine_table(quarantine_row(1)), trusted)
    tables = ("labelled_products", "quarantined_products", "training_labels")
    before = [row_versions(warehouse, table) for table in tables]
    with pytest.raises(
        BatchRejected, match=r"the warehouse has 1 of this day alone: nothing was removed.*--allow-empty"
    ):
        load(warehouse, lake, DAYS[0])
    assert [row_versions(warehouse, table) for table in tables] == before
    # A day that never had products stays empty as it always did.
    load(warehouse, lake, DAYS[1])


def test_an_import_brings_trusted_labels_and_quarantine_and_leaves_labelled_products_alone(
    warehouse: Engine, lake: Lake
) -> None:
    load(warehouse, lake, DAYS[0], labels_table([1], source="flipkart"), source="flipkart")
    labelled = row_versions(warehouse, "labelled_products")
    trusted = trusted_table(("flipkart:a", "watches", "catalogue"))
    path = Batch("flipkart", DAYS[0]).file(Layer.QUARANTINE)
    lake.write_parquet(path, quarantine_table(quarantine_row(1)))
    for _ in range(2):
        counts = load_import(warehouse, lake, "flipkart", DAYS[0], quarantine_path=path, trusted=trusted)
        assert counts == LoadCounts(labelled=0, quarantined=1, training_labels=1, removed=0)
        assert len(rows(warehouse, "quarantined_products")) == len(rows(warehouse, "training_labels")) == 1
        assert row_versions(warehouse, "labelled_products") == labelled


def test_quarantine_rows_of_a_day_are_replaced_and_those_of_other_days_and_sources_stay(
    warehouse: Engine, lake: Lake
) -> None:
    two = quarantine_table(quarantine_row(1), quarantine_row(2, native_id="x\x00", raw='{"name": "\\u0000"}'))
    load(warehouse, lake, DAYS[0], quarantine=two)
    load(warehouse, lake, DAYS[1], quarantine=two)
    load(warehouse, lake, DAYS[0], quarantine=two, source="edamam")
    load(warehouse, lake, DAYS[0], quarantine=quarantine_table(quarantine_row(3)))
    load(warehouse, lake, DAYS[1])
    found = [(row["source"], row["day"], row["position"]) for row in rows(warehouse, "quarantined_products")]
    assert sorted(found) == [
        ("edamam", DAYS[0], "page-1:1"), ("edamam", DAYS[0], "page-1:2"), (SOURCE, DAYS[0], "page-1:3"),
    ]  # fmt: skip


@pytest.mark.parametrize("broken", ["labels", "quarantine", "trusted"])
def test_a_load_that_fails_anywhere_leaves_everything_as_it_was(warehouse: Engine, lake: Lake, broken: str) -> None:
    load_three_days(warehouse, lake, (0, 1))
    before = state(warehouse)
    product_id = f"{SOURCE}:3000000000001"
    labels = labels_table([1, 5], name="half written")
    quarantine = quarantine_table(quarantine_row(7))
    trusted: pa.Table = trusted_table((product_id, "juice", "rule"))
    if broken == "labels":
        labels = labels_table([1, 5, 1])
    elif broken == "quarantine":
        quarantine = quarantine.set_column(0, "rejection_id", pa.array([None], pa.string()))
    else:
        trusted = trusted_table((product_id, "juice", "rule"), (product_id, "juice", "rule"))
    with pytest.raises(DBAPIError):
        load(warehouse, lake, DAYS[2], labels, quarantine, trusted)
    assert state(warehouse) == before


def test_days_loaded_at_the_same_time_neither_deadlock_nor_lose_a_row(
    make_warehouse: Callable[[], Engine], lake: Lake
) -> None:
    numbers = list(range(400))
    at_once, in_turn = make_warehouse(), make_warehouse()
    # The same products in opposite orders: what locks row by row would wait in a circle.
    tables = [labels_table(numbers if index % 2 else numbers[::-1], name=f"day {index}") for index in range(3)]
    failures: list[BaseException] = []

    def load_one(day: date, table: pa.Table) -> None:
        try:
            load(at_once, lake, day, table, trusted=trusted_table(("openfoodfacts:x", "juice", "rule")))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=load_one, args=(day, table)) for day, table in zip(DAYS, tables, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for day, table in zip(DAYS, tables, strict=True):
        load(in_turn, lake, day, table, trusted=trusted_table(("openfoodfacts:x", "juice", "rule")))
    assert state(at_once) == state(in_turn)
