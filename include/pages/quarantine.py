"""The quarantined records of a batch, from where they are: the warehouse, or for a refused batch the lake.

quarantine = PublishedQuarantine(engine, batch)
page = quarantine.page(reason="no_name")    # page.rows, and page.after for the next one
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from include.quality.quarantine_file import quarantine_file_page, stream_quarantine_file
from include.quality.reasons import fields_of
from include.security.quoting import spreadsheet_safe
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.quarantine import quarantine_page, stream_quarantine

if TYPE_CHECKING:
    from sqlalchemy import Engine

PAGE_ROWS = 50
RAW_CHARACTERS = 4_000
"""Of a raw record on a page; a download has all of it."""
COLUMNS = ("source", "day", "native_id", "reasons", "fields", "detail", "position", "raw")
"""Columns of a download."""

_REJECTION_ID = re.compile(r"[0-9a-f]{1,64}", re.ASCII)
_ROW_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True)
class QuarantinePage:
    """Some rows, and where the next ones begin."""

    rows: list[dict[str, Any]]
    """native_id, reasons, fields, detail, position, raw (cut), raw_length."""
    after: str
    """Value of the parameter `after` of the next page; empty on the last one."""


class Quarantine(Protocol):
    """The quarantined records of one batch."""

    @property
    def batch(self) -> Batch:
        """Whose records they are."""

    def page(self, reason: str | None, after: str) -> QuarantinePage:
        """One page; an `after` that no page gave is the first page."""

    def rows(self, reason: str | None) -> Iterator[dict[str, Any]]:
        """All records, whole, as a stream."""


@dataclass(frozen=True)
class PublishedQuarantine:
    """The quarantine of a published batch."""

    engine: Engine
    batch: Batch

    def page(self, reason: str | None, after: str) -> QuarantinePage:
        """As in `Quarantine`."""
        cursor = after if _REJECTION_ID.fullmatch(after) else None
        found = quarantine_page(
            self.engine,
            self.batch.source,
            self.batch.day,
            reason=reason,
            after=cursor,
            rows=PAGE_ROWS + 1,
            raw_characters=RAW_CHARACTERS,
        )
        return _page(found, "rejection_id")

    def rows(self, reason: str | None) -> Iterator[dict[str, Any]]:
        """As in `Quarantine`."""
        return stream_quarantine(self.engine, self.batch.source, self.batch.day, reason=reason)


@dataclass(frozen=True)
class RefusedQuarantine:
    """The quarantine of a batch that never reached the warehouse."""

    lake: Lake
    batch: Batch

    def page(self, reason: str | None, after: str) -> QuarantinePage:
        """As in `Quarantine`."""
        found = quarantine_file_page(
            self.lake,
            self.batch.file(Layer.QUARANTINE),
            reason=reason,
            after=int(after) if _ROW_NUMBER.fullmatch(after) else -1,
            rows=PAGE_ROWS + 1,
            raw_characters=RAW_CHARACTERS,
        )
        return _page(found, "row")

    def rows(self, reason: str | None) -> Iterator[dict[str, Any]]:
        """As in `Quarantine`."""
        return stream_quarantine_file(self.lake, self.batch.file(Layer.QUARANTINE), reason=reason)


def csv_lines(batch: Batch, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as CSV with a header; no cell is a formula for a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def line(cells: Iterable[str]) -> str:
        writer.writerow([spreadsheet_safe(cell) for cell in cells])
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    yield line(COLUMNS)
    for row in rows:
        entry = _entry(batch, row)
        yield line(" ".join(value) if isinstance(value, list) else value or "" for value in entry.values())


def json_lines(batch: Batch, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as JSON objects, one a line; `raw` is the record as an object wherever it is valid JSON."""
    for row in rows:
        entry = _entry(batch, row)
        with suppress(ValueError, RecursionError):
            entry["raw"] = json.loads(entry["raw"])
        yield json.dumps(entry, ensure_ascii=False) + "\n"


FORMATS: dict[str, tuple[str, Callable[[Batch, Iterable[Mapping[str, Any]]], Iterator[str]]]] = {
    "csv": ("text/csv", csv_lines),
    "jsonl": ("application/x-ndjson", json_lines),
}
"""Ending of a download's name → its type, and what writes it."""


def _entry(batch: Batch, row: Mapping[str, Any]) -> dict[str, Any]:
    known = dict(row) | {"source": batch.source, "day": batch.day.isoformat()}
    known["fields"] = fields_of(row["reasons"], row["detail"])
    return {name: known[name] for name in COLUMNS}


def _page(found: list[dict[str, Any]], key: str) -> QuarantinePage:
    """The rows of a page from one row more than it shows, which says whether there is a next one."""
    rows = [row | {"fields": fields_of(row["reasons"], row["detail"])} for row in found[:PAGE_ROWS]]
    return QuarantinePage(rows, str(rows[-1][key]) if len(found) > PAGE_ROWS else "")
