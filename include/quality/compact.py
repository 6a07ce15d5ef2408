"""Compact frames: what batch rules need of a Parquet file, without its texts.

Of 100,000 products with all their texts a frame of ids, hashes and text lengths remains, about 15 MB; files are
read one row group at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from include.storage.lake import Lake

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a file to look at, and how."""

    kept: Sequence[str] = ()
    """Columns taken into the frame as they are."""
    lengths: Sequence[str] = ()
    """Texts of which the frame has the length in characters, as `<column>_length`."""
    counted: Sequence[str] = ()
    """Columns of few distinct values (texts or lists of texts) whose values are counted."""
    newest: str | None = None
    """A column of points in time of which only the latest matters."""


@dataclass(frozen=True, slots=True)
class CompactFile:
    """What remains of one or several files of the same schema."""

    table: pa.Table
    """One row per row of the files; a column that is absent or has another type than agreed is left out."""
    schema_differences: list[str]
    """What differs from the agreed schema, one phrase each; empty if nothing does."""
    counts: Mapping[str, Counter[str]] = field(default_factory=dict)
    """Column of `Columns.counted` → value → number of rows that have it."""
    newest: datetime | None = None

    @property
    def rows(self) -> int:
        """Number of rows of all files together."""
        return int(self.table.num_rows)

    def frame(self) -> pd.DataFrame:
        """The table for Great Expectations."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame


def read_compact(lake: Lake, paths: Sequence[str], schema: pa.Schema, columns: Columns) -> CompactFile:
    """Read the compact form of files that should have `schema`; a missing file is a schema difference."""
    pieces: list[pa.Table] = []
    differences: list[str] = []
    counts: dict[str, Counter[str]] = {column: Counter() for column in columns.counted}
    newest: datetime | None = None
    for path in paths:
        if not lake.exists(path):
            differences.append(f"{path} is missing")
            continue
        with lake.parquet_file(path) as file:
            actual = file.schema_arrow
            differences.extend(_schema_differences(actual, schema))
            usable = [name for name in _wanted(columns) if name in actual.names and _same_type(name, actual, schema)]
            for number in range(file.num_row_groups):
                group = file.read_row_group(number, columns=usable)
                pieces.append(_compact(group, columns))
                for column in set(columns.counted) & set(usable):
                    counts[column].update(_value_counts(group[column]))
                if columns.newest in usable:
                    latest = pc.max(group[columns.newest]).as_py()
                    newest = max((moment for moment in (newest, latest) if moment), default=None)
    table = pa.concat_tables(pieces, promote_options="default") if pieces else _empty(schema, columns)
    return CompactFile(table, list(dict.fromkeys(differences)), counts, newest)


def _wanted(columns: Columns) -> list[str]:
    newest = [columns.newest] if columns.newest else []
    return list(dict.fromkeys([*columns.kept, *columns.lengths, *columns.counted, *newest]))


def _same_type(name: str, actual: pa.Schema, expected: pa.Schema) -> bool:
    return bool(actual.field(name).type == expected.field(name).type)


def _schema_differences(actual: pa.Schema, expected: pa.Schema) -> list[str]:
    absent = [f"column {name} is missing" for name in expected.names if name not in actual.names]
    unknown = [f"column {name} is not expected" for name in actual.names if name not in expected.names]
    changed = [
        f"column {name} is {actual.field(name).type}, expected {expected.field(name).type}"
        for name in expected.names
        if name in actual.names and not _same_type(name, actual, expected)
    ]
    return absent + unknown + changed


def _compact(group: pa.Table, columns: Columns) -> pa.Table:
    compact = {name: group[name] for name in columns.kept if name in group.column_names}
    for name in columns.lengths:
        if name in group.column_names:
            compact[f"{name}_length"] = pc.utf8_length(group[name])
    return pa.table(compact) if compact else pa.table({"row": pa.nulls(group.num_rows)})


def _empty(schema: pa.Schema, columns: Columns) -> pa.Table:
    return _compact(schema.empty_table().select(_wanted(columns)), columns)


def _value_counts(column: pa.ChunkedArray) -> dict[str, int]:
    values = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    counted = pc.value_counts(values.drop_null())
    return {str(entry["values"]): int(entry["counts"]) for entry in counted.to_pylist()}
