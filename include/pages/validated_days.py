"""The list of batches with the verdicts of their reports, some days at a time; quick with thousands of days on S3.

Days are found by one listing for each source and by their keys in the warehouse, and only the summaries of the days
that are shown are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from include.pages.stored_reports import Summary, read_summaries, reported_days, reported_sources
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.warehouse.batch_history import StoredBatch, batch_keys, batches_of_days

if TYPE_CHECKING:
    from sqlalchemy import Engine

SHOWN_DAYS = 14
"""Each is three small files of a source to read."""


@dataclass(frozen=True)
class ListedBatch:
    """One row of the list."""

    batch: Batch
    products: Summary | None
    labels: Summary | None
    drift: Summary | None
    state: StoredBatch | None
    """What the warehouse says of it; None where no run of it has ended."""


@dataclass(frozen=True)
class ListedDays:
    """Some days of the list."""

    rows: Sequence[ListedBatch]
    """Newest day first, then by source."""
    sources: Sequence[str]
    """All sources that have a batch."""
    older: date | None
    """The newest day that is not shown any more."""


def list_days(lake: Lake, engine: Engine, *, source: str = "", until: date | None = None) -> ListedDays:
    """The batches of the newest fourteen days that have any, of one source or of all, up to the day `until`.

    A source that has no batch is no choice: the list is empty then.
    """
    batches = {Batch(name, day) for name, day in batch_keys(engine)}
    reported = reported_sources(lake)
    sources = sorted({batch.source for batch in batches} | set(reported))
    for name in reported:
        if source in ("", name):
            batches |= {Batch(name, day) for day in reported_days(lake, name)}
    wanted = [one for one in batches if source in ("", one.source) and (until is None or one.day <= until)]
    days = sorted({one.day for one in wanted}, reverse=True)
    shown, rest = set(days[:SHOWN_DAYS]), days[SHOWN_DAYS:]
    chosen = sorted((one for one in wanted if one.day in shown), key=lambda one: (-one.day.toordinal(), one.source))
    return ListedDays(_with_reports(lake, engine, chosen), sources, rest[0] if rest else None)


def neighbours(days: Sequence[date], day: date) -> tuple[date | None, date | None]:
    """The newest of the days before a day, and the oldest after it."""
    return max((one for one in days if one < day), default=None), min((one for one in days if one > day), default=None)


def _with_reports(lake: Lake, engine: Engine, batches: Sequence[Batch]) -> list[ListedBatch]:
    if not batches:
        return []
    summaries = read_summaries(lake, batches)
    states = {(state.source, state.day): state for state in batches_of_days(engine, batches[-1].day, batches[0].day)}
    return [
        ListedBatch(
            batch,
            products=summaries[batch].get("products"),
            labels=summaries[batch].get("labels"),
            drift=summaries[batch].get("drift"),
            state=states.get((batch.source, batch.day)),
        )
        for batch in batches
    ]
