"""Which rows of a day go straight into the tables, and that it makes no difference to what stands there."""

from __future__ import annotations

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from sqlalchemy import Engine, event, text

from include.storage.lake import Lake
from include.warehouse.new_products import rows_where
from tests.warehouse.rows import labels_table
from tests.warehouse.test_loading import DAYS, load, rows, state


@pytest.fixture
def merged(warehouse: Engine) -> list[str]:
    """The names of tables that are merged into, as it goes on."""
    tables: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT") and "ON CONFLICT" in statement:
            tables.append(statement.split()[2])

    event.listen(warehouse, "before_cursor_execute", note)
    return tables


def test_only_products_that_may_be_there_are_merged(warehouse: Engine, lake: Lake, merged: list[str]) -> None:
    load(warehouse, lake, DAYS[0], labels_table(range(20)))
    assert "labelled_products" not in merged
    load(warehouse, lake, DAYS[1], labels_table(range(20, 40)))
    assert "labelled_products" not in merged
    load(warehouse, lake, DAYS[2], labels_table(range(39, 50)))
    assert merged.count("labelled_products") == merged.count("label_history") == 1
    assert len(rows(warehouse, "labelled_products")) == len(rows(warehouse, "label_history")) == 50


def test_a_day_of_known_and_new_products_gives_what_two_loads_give(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, DAYS[0], labels_table(range(0, 12_000, 2)))
    both = load(warehouse, lake, DAYS[1], labels_table(range(12_000)))
    assert both.labelled == 12_000
    at_once = state(warehouse)
    with warehouse.begin() as connection:
        connection.execute(text("TRUNCATE labelled_products, label_history"))
    load(warehouse, lake, DAYS[0], labels_table(range(0, 12_000, 2)))
    load(warehouse, lake, DAYS[1], labels_table(range(0, 12_000, 2)))
    load(warehouse, lake, DAYS[1], labels_table(range(12_000)))
    assert state(warehouse) == at_once


def test_a_product_that_comes_back_finds_its_history(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, DAYS[0], labels_table(range(3)))
    before = state(warehouse)
    assert load(warehouse, lake, DAYS[0], labels_table([0])).removed == 2
    load(warehouse, lake, DAYS[0], labels_table(range(3)))
    assert state(warehouse) == before


def test_a_product_that_comes_twice_in_a_day_is_refused_and_nothing_changes(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, DAYS[0], labels_table(range(3)))
    before = state(warehouse)
    with pytest.raises(psycopg.errors.UniqueViolation):
        load(warehouse, lake, DAYS[1], labels_table([0, 5, 6, 5]))
    assert state(warehouse) == before


def test_rows_are_chosen_across_batches() -> None:
    batches = pa.table({"n": list(range(7))}).to_batches(max_chunksize=3)
    wanted = np.array([False, False, False, True, True, True, True])
    assert [batch["n"].to_pylist() for batch in rows_where(batches, wanted)] == [[3, 4, 5], [6]]
    wanted = np.array([True, False, True, False, False, False, False])
    assert [batch["n"].to_pylist() for batch in rows_where(batches, wanted)] == [[0, 2]]
