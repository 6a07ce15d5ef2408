"""Parquet files as rows, a few thousand at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
                for row in batch.to_pylist():
                    number += 1
                    yield number, {key: value for key, value in row.items() if value is not None and value != ""}
