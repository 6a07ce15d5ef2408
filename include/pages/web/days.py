"""What became of each source on each day: published, failed, going on, or never run.

A day is judged from the first that is known to yesterday: before, nothing was due, and today is not over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from include.pages.web.host import Run
from include.settings import Settings
from include.warehouse.batch_history import StoredBatch

DAYS = 30
"""Days that the chart shows and the first page looks at."""


class DayState(StrEnum):
    """What became of a source on a day."""

    PUBLISHED = "published"
    EMPTY = "nothing new"
    WARNED = "published, with warnings"
    RUNNING = "running"
    REFUSED = "refused"
    FAILED = "failed"
    NEVER = "never run"
    BEFORE = "before the first day"


TROUBLED = (DayState.REFUSED, DayState.FAILED, DayState.NEVER)
"""States that a person has to do something about."""


@dataclass(frozen=True, slots=True)
class Day:
    """A source on a day."""

    source: str
    day: date
    state: DayState
    batch: StoredBatch | None = None
    run: Run | None = None

    @property
    def is_troubled(self) -> bool:
        """Whether a person has to do something about it."""
        return self.state in TROUBLED

    @property
    def what(self) -> str:
        """Its state, with the step for one that failed: `failed at fetch`; `no batch` where a run left none."""
        if self.state == DayState.NEVER and self.run is not None:
            return "no batch"
        step = self.batch.failed_step if self.batch and self.state == DayState.FAILED else None
        return f"{self.state} at {step}" if step else str(self.state)


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are looked at, both included."""

    first: date
    last: date

    def days(self) -> list[date]:
        """All of them, oldest first."""
        return [self.first + timedelta(number) for number in range((self.last - self.first).days + 1)]


def last_window(settings: Settings, today: date) -> Window:
    """The 30 days up to yesterday, or up to the last day of the settings if that is earlier."""
    last = today - timedelta(days=1)
    if settings.last_day is not None:
        last = min(last, settings.last_day)
    return Window(last - timedelta(days=DAYS - 1), last)


def judged_days(
    window: Window,
    first_days: Mapping[str, date | None],
    batches: Iterable[StoredBatch],
    runs: Iterable[Run],
    first_possible: date,
) -> dict[str, list[Day]]:
    """Source → its days of the window, oldest first.

    `first_days` has each source with the first day of which it has a batch, if it has any. A source that never had one
    is judged from the first day on that has a batch of another source, or a run. Nothing is due before
    `first_possible`.
    """
    by_day = {run.day: run for run in runs}
    stored = {(batch.source, batch.day): batch for batch in batches}
    known = [*filter(None, first_days.values()), *by_day]
    days: dict[str, list[Day]] = {}
    for source, first in first_days.items():
        begin = max(first_possible, first or min(known, default=date.max))
        days[source] = [
            _judged(source, day, begin, stored.get((source, day)), by_day.get(day)) for day in window.days()
        ]
    return days


def failed_runs(days: Mapping[str, Sequence[Day]], runs: Iterable[Run]) -> list[Run]:
    """Runs that failed although each source published its batch, none of them after the run; oldest first."""
    of_day: dict[date, list[Day]] = {}
    for judged in days.values():
        for one in judged:
            of_day.setdefault(one.day, []).append(one)
    return sorted(
        (run for run in runs if run.state == "failed" and _only_run_failed(run, of_day.get(run.day, []))),
        key=lambda run: run.day,
    )


def _judged(source: str, day: date, begin: date, batch: StoredBatch | None, run: Run | None) -> Day:
    return Day(source, day, _state(day, begin, batch, run), batch, run)


def _state(day: date, begin: date, batch: StoredBatch | None, run: Run | None) -> DayState:
    state = _without_batch(day, begin, run) if batch is None else _of_batch(batch)
    is_redone = batch is not None and state in TROUBLED and is_going_on(run) and _is_earlier(batch, run)
    return DayState.RUNNING if is_redone else state


def _without_batch(day: date, begin: date, run: Run | None) -> DayState:
    if is_going_on(run):
        return DayState.RUNNING
    if run is not None and run.state == "failed":
        return DayState.FAILED
    return DayState.BEFORE if day < begin else DayState.NEVER


def _of_batch(batch: StoredBatch) -> DayState:
    if batch.status != "published":
        return DayState.REFUSED if batch.is_refused else DayState.FAILED
    if batch.warnings:
        return DayState.WARNED
    return DayState.EMPTY if batch.is_empty else DayState.PUBLISHED


def is_going_on(run: Run | None) -> bool:
    """Whether a run has not ended yet."""
    return run is not None and run.state in ("queued", "running")


def _is_earlier(batch: StoredBatch, run: Run | None) -> bool:
    """Whether a batch was written before a run began."""
    if run is None or run.started is None or batch.updated_at is None:
        return True
    return batch.updated_at < run.started


def _only_run_failed(run: Run, days: Sequence[Day]) -> bool:
    if not days or any(one.batch is None or one.batch.status != "published" for one in days):
        return False
    ended = run.ended
    return ended is None or not any(
        one.batch is not None and one.batch.updated_at is not None and one.batch.updated_at > ended for one in days
    )
