"""One row of a Parquet file by a key: only row groups that can have it are read, of all others not even the key.

row = find_row(lake, "reasons/source=openfoodfacts/day=2026-01-05/part-00000.parquet", "product_id", product_id)

It is quick in files that are sorted by the key, as `write_sorted` writes them: the statistics of a row group then say
what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.storage.lake import Lake

ROW_GROUP_ROWS = 4_000
"""Rows of a row group: few, because one is read whole for a row of it, and not so few that the footer is long."""
RUN_ROWS = 100_000
"""Rows that are sorted at a time; a lookup reads the keys of one row group for each so many rows of a file."""
BLOCK_BYTES = 256 * 1024
"""What a remote read brings at least: somewhat more than a row group."""


def find_row(
    lake: Lake, path: str, key: str, value: str, columns: Sequence[str] | None = None
) -> dict[str, Any] | None:
    """The first row whose column `key` is `value`, with its columns or all; None if there is none, or no such file."""
    try:
        wanted = pa.scalar(value, pa.string())
    except UnicodeEncodeError:  # half of a surrogate pair, which no file can hold
        return None
    try:
        with lake.parquet_file(path, block_bytes=BLOCK_BYTES) as file:
            for group in range(file.num_row_groups):
                if not _may_have(file, group, key, value):
                    continue
                number = pc.index(file.read_row_group(group, [key])[key], wanted).as_py()
                if number >= 0:
                    table = file.read_row_group(group, None if columns is None else list(columns))
                    row: dict[str, Any] = table.slice(number, 1).to_pylist()[0]
                    return row
    except FileNotFoundError:
        return None
    return None


def write_sorted(writer: pq.ParquetWriter, tables: Iterable[pa.Table], key: str) -> None:
    """Write tables so that `find_row` finds a row quickly: sorted by `key`, some tables at a time."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(one.num_rows for one in waiting) >= RUN_ROWS:
            _write_run(writer, waiting, key)
            waiting = []
    _write_run(writer, waiting, key)


def _write_run(writer: pq.ParquetWriter, tables: list[pa.Table], key: str) -> None:
    if tables:
        writer.write_table(pa.concat_tables(tables).sort_by(key), row_group_size=ROW_GROUP_ROWS)


def _may_have(file: pq.ParquetFile, group: int, key: str, value: str) -> bool:
    """Whether a row group can have the value in its column `key`, by its statistics."""
    column = file.schema_arrow.get_field_index(key)
    statistics = file.metadata.row_group(group).column(column).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return bool(statistics.min <= value <= statistics.max)
