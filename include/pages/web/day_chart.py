"""The chart of a source's last days: a column for each, as high as what came in, in parts by what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from include.pages.web.days import Day
from include.warehouse.batch_history import StoredBatch

PARTS = {
    "accepted": "accepted",
    "review": "to review",
    "unchanged": "unchanged",
    "aside": "set aside",
}
"""Part of a column, from the bottom up → its name."""
HEIGHT = 80


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a column, in units of the drawing, whose height is `HEIGHT`."""

    part: str
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """A day."""

    day: Day
    pieces: tuple[Piece, ...]
    counts: dict[str, int]
    """Part → records, for readers of the table."""

    @property
    def words(self) -> str:
        """Everything that the column shows: `2026-01-05: published, 8 accepted, 2 to review`."""
        shown = [f"{count:,} {PARTS[part]}" for part, count in self.counts.items() if count]
        return f"{self.day.day}: {', '.join([self.day.what, *shown])}"


@dataclass(frozen=True, slots=True)
class Chart:
    """The days of one source."""

    source: str
    columns: tuple[Column, ...]
    most: int
    """Records of the highest column."""

    @property
    def troubled(self) -> list[Day]:
        """The days that a person has to do something about, newest first."""
        return [column.day for column in reversed(self.columns) if column.day.is_troubled]


def day_chart(source: str, days: Sequence[Day]) -> Chart:
    """The chart of a source's days, which are in order."""
    counted = [(day, _counts(day.batch)) for day in days]
    most = max((sum(counts.values()) for _, counts in counted), default=0)
    return Chart(source, tuple(Column(day, _pieces(counts, most), counts) for day, counts in counted), most)


def _counts(batch: StoredBatch | None) -> dict[str, int]:
    if batch is None:
        return {}
    values = (batch.accepted, batch.reviewed, batch.unchanged, batch.quarantined)
    return {part: max(value or 0, 0) for part, value in zip(PARTS, values, strict=True)}


def _pieces(counts: dict[str, int], most: int) -> tuple[Piece, ...]:
    pieces, top = [], float(HEIGHT)
    for part, count in counts.items():
        if count:
            height = round(count / most * HEIGHT, 2)
            top = round(top - height, 2)
            pieces.append(Piece(part, max(top, 0.0), height))
    return tuple(pieces)
