"""Parquet files as rows, a few thousand at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.errors import CatalogueRefused
from include.sources.catalogue.row_file import Row

BATCH_ROWS = 2_000


@dataclass(frozen=True)
class ParquetRows:
    """A checked Parquet file."""

    path: Path
    columns: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> ParquetRows:
        """Decode the file once to its end; CatalogueRefused if it is damaged or has no rows."""
        count = 0
        try:
            with pq.ParquetFile(path) as file:
                columns = tuple(file.schema_arrow.names)
                for batch in file.iter_batches(batch_size=BATCH_ROWS):
                    batch.validate(full=True)
                    count += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            after = f"row {count + 1} or after: " if count else ""
            raise CatalogueRefused(f"{path.name}: {after}not a whole Parquet file ({error}); fetch it again") from error
        if not count:
            raise CatalogueRefused(f"{path.name}: row 1: the file has no rows; expected at least one")
        return cls(path, columns)

    def rows(self) -> Iterator[tuple[int, Row | str]]:
        """Row number from 1, and the row without its null and empty values."""
        number = 0
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                columns = [_values(column) for column in batch.columns]
                for values in zip(*columns, strict=True):
                    number += 1
                    row = zip(batch.schema.names, values, strict=True)
                    yield number, {key: value for key, value in row if value is not None and value != ""}


def _values(column: pa.Array) -> list[Any]:
    """The values of a column; one that Python has no value for, as a date in the year 10000, as text or None."""
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        values = [_value(item) for item in column]
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return [_decoded(value) for value in values]
    return values


def _value(item: pa.Scalar) -> Any:
    with suppress(ValueError, OverflowError, pa.ArrowException):
        return item.as_py()
    with suppress(pa.ArrowException):
        return item.cast(pa.string()).as_py()
    return None


def _decoded(value: bytes | None) -> str | bytes | None:
    """Text that was written as bytes, as some programs do, if it is text."""
    if value is not None:
        with suppress(UnicodeDecodeError):
            return value.decode()
    return value
