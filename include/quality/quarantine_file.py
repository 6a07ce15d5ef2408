"""Reads a day's quarantine file in the lake: that of a batch that was refused, of which the warehouse has no row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.storage.lake import Lake

COLUMNS = ["native_id", "reasons", "detail", "position", "raw"]
STREAMED_ROWS = 200


def quarantine_file_page(
    lake: Lake, path: str, *, reason: str | None = None, after: int = -1, rows: int, raw_characters: int
) -> list[dict[str, Any]]:
    """At most so many rows of a quarantine file behind row number `after`, in its order; none for a missing file.

    row, native_id, reasons, detail, position, raw (cut to `raw_characters`) and raw_length. Only the row groups that
    hold a row of the page are read as a whole.
    """
    if not lake.exists(path):
        return []
    found: list[dict[str, Any]] = []
    with lake.parquet_file(path) as file:
        first = 0
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            if first + count > after + 1:
                numbers = _matching(file, group, reason, after + 1 - first)[: rows - len(found)]
                found += _rows(file, group, numbers, first, raw_characters)
            if len(found) >= rows:
                break
            first += count
    return found


def stream_quarantine_file(lake: Lake, path: str, *, reason: str | None = None) -> Iterator[dict[str, Any]]:
    """All rows of a quarantine file with their whole raw records, in its order; memory holds some hundred rows."""
    if not lake.exists(path):
        return
    with lake.parquet_file(path) as file:
        for batch in file.iter_batches(batch_size=STREAMED_ROWS, columns=COLUMNS):
            for row in batch.to_pylist():
                if reason is None or reason in row["reasons"]:
                    yield row


def _matching(file: pq.ParquetFile, group: int, reason: str | None, start: int) -> list[int]:
    """Numbers of the rows of a row group from `start` on that have the reason, or of all."""
    if reason is None:
        return list(range(max(0, start), file.metadata.row_group(group).num_rows))
    lists = file.read_row_group(group, columns=["reasons"])["reasons"].combine_chunks()
    has_reason = pc.equal(lists.flatten(), reason)
    numbers = pc.list_parent_indices(lists).filter(has_reason).unique().to_pylist()
    return [number for number in numbers if number >= start]


def _rows(
    file: pq.ParquetFile, group: int, numbers: list[int], first: int, raw_characters: int
) -> list[dict[str, Any]]:
    if not numbers:
        return []
    table = file.read_row_group(group, columns=COLUMNS).take(pa.array(numbers))
    return [
        row | {"row": first + number, "raw": row["raw"][:raw_characters], "raw_length": len(row["raw"])}
        for number, row in zip(numbers, table.to_pylist(), strict=True)
    ]
