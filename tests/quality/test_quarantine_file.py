"""A quarantine file of the lake is read page by page, on the local disk and on S3."""

from __future__ import annotations

from typing import Any

from include.quality.quarantine_file import quarantine_file_page, stream_quarantine_file
from include.storage.lake import Lake
from tests.warehouse.rows import quarantine_row, quarantine_table

PATH = "quarantine/source=openfoodfacts/day=2026-01-05/part-00000.parquet"


def write(lake: Lake, rows: int) -> None:
    """Row groups of seven rows; every third is a duplicate as well."""
    table = quarantine_table(
        *(quarantine_row(n, reasons=["no_name", "duplicate"] if n % 3 == 0 else ["no_name"]) for n in range(rows))
    )
    lake.write_parquet(PATH, table, 7)


def all_rows(lake: Lake, **choice: Any) -> list[int]:
    """Row numbers of all pages of four rows, which are full but for the last one."""
    numbers: list[int] = []
    while page := quarantine_file_page(
        lake, PATH, after=numbers[-1] if numbers else -1, rows=4, raw_characters=5, **choice
    ):
        assert all(row["position"] == f"page-1:{row['row']}" for row in page)
        numbers += [row["row"] for row in page]
    return numbers


def test_pages_hold_each_row_once_in_the_order_of_the_file(any_lake: Lake) -> None:
    write(any_lake, 23)
    assert all_rows(any_lake) == list(range(23))
    assert all_rows(any_lake, reason="duplicate") == list(range(0, 23, 3))
    assert all_rows(any_lake, reason="no_id") == []
    assert quarantine_file_page(any_lake, PATH, after=10**12, rows=4, raw_characters=5) == []


def test_a_page_cuts_long_records_and_a_stream_does_not(lake: Lake) -> None:
    write(lake, 9)
    assert quarantine_file_page(lake, PATH, rows=1, raw_characters=5)[0]["raw"] == '{"cod'
    streamed = list(stream_quarantine_file(lake, PATH, reason="duplicate"))
    assert [row["position"] for row in streamed] == ["page-1:0", "page-1:3", "page-1:6"]
    assert streamed[0]["raw"] == '{"code": ""}'


def test_a_batch_without_a_file_has_no_rows(lake: Lake) -> None:
    assert quarantine_file_page(lake, PATH, rows=4, raw_characters=5) == []
    assert list(stream_quarantine_file(lake, PATH)) == []
