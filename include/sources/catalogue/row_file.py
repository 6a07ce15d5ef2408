"""What every kind of file offers, whatever its format: its columns, and its rows one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

Row = dict[str, Any]
"""Column name to value; absent and empty values have no key. Text in CSV, any JSON value elsewhere."""


class RowFile(Protocol):
    """A file whose whole content was checked when it was opened; rows are read again by each call."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the file."""

    def rows(self) -> Iterator[tuple[int, Row | str]]:
        """Line (or, in Parquet, row) number counted from 1, and the row; the text itself where it is not a row."""
