"""Quarantined rows come page by page without gap or repetition, and as a stream that does not grow."""

from __future__ import annotations

import tracemalloc
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from include.storage.lake import Lake
from include.warehouse.loading import load_import
from include.warehouse.quarantine import quarantine_page, stream_quarantine
from tests.warehouse.rows import quarantine_row, quarantine_table

DAY = date(2026, 1, 5)


def load(
    engine: Engine, lake: Lake, rows: list[dict[str, Any]], day: date = DAY, source: str = "openfoodfacts"
) -> None:
    lake.write_parquet("quarantine.parquet", quarantine_table(*rows))
    load_import(engine, lake, source, day, quarantine_path="quarantine.parquet", trusted=None)


def all_pages(engine: Engine, **choice: Any) -> list[list[dict[str, Any]]]:
    """Pages of four rows until none is left."""
    pages, after = [], None
    while rows := quarantine_page(engine, "openfoodfacts", DAY, after=after, rows=4, raw_characters=10, **choice):
        pages.append(rows)
        after = rows[-1]["rejection_id"]
    return pages


def test_the_pages_of_a_day_hold_each_of_its_rows_once(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, [quarantine_row(number) for number in range(10)])
    load(warehouse, lake, [quarantine_row(99)], day=date(2026, 1, 6))
    load(warehouse, lake, [quarantine_row(98)], source="edamam")
    pages = all_pages(warehouse)
    assert [len(page) for page in pages] == [4, 4, 2]
    positions = [row["position"] for page in pages for row in page]
    assert sorted(positions) == sorted(f"page-1:{number}" for number in range(10))


def test_a_reason_chooses_the_rows_that_have_it_among_others(warehouse: Engine, lake: Lake) -> None:
    rows = [quarantine_row(n, reasons=["no_name", "no_text"] if n % 5 == 0 else ["bad_id"]) for n in range(20)]
    load(warehouse, lake, rows)
    assert sum(len(page) for page in all_pages(warehouse, reason="no_text")) == 4
    assert all_pages(warehouse, reason="'; drop table quarantined_products; --") == []
    assert len(list(stream_quarantine(warehouse, "openfoodfacts", DAY, reason="no_text"))) == 4
    assert len(list(stream_quarantine(warehouse, "openfoodfacts", DAY))) == 20


def test_a_page_cuts_long_records_and_a_stream_does_not(warehouse: Engine, lake: Lake) -> None:
    load(warehouse, lake, [quarantine_row(1, raw='{"name": "élan élan élan"}')])
    [[row]] = all_pages(warehouse)
    assert (row["raw"], row["raw_length"]) == ('{"name": "', 26)
    [whole] = stream_quarantine(warehouse, "openfoodfacts", DAY)
    assert whole["raw"] == '{"name": "élan élan élan"}'


@pytest.mark.parametrize("rows", [2_000, 8_000])
def test_a_stream_holds_some_hundred_rows_however_many_there_are(warehouse: Engine, lake: Lake, rows: int) -> None:
    load(warehouse, lake, [quarantine_row(number, raw="x" * 5_000) for number in range(rows)])
    stream = stream_quarantine(warehouse, "openfoodfacts", DAY)
    next(stream)
    tracemalloc.start()
    count = 1 + sum(1 for _ in stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == rows
    assert peak < 5_000_000, "200 rows of 5,000 characters, a few times over; all of them are 10 to 40 MB"
