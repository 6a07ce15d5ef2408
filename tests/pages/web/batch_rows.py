"""Batches and runs for tests of pages, around one fixed day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Engine

from include.pages.web.host import Run
from include.warehouse.batch_history import REFUSAL
from include.warehouse.batches import BatchRecord, record_batch, record_failure

TODAY = date(2026, 3, 20)
NOW = datetime.combine(TODAY, time(9), UTC)
YESTERDAY = TODAY - timedelta(1)
SOURCES = ("openfoodfacts", "edamam")
REASON = f"the batch of edamam {REFUSAL}. Broken: volume."


def day(ago: int) -> date:
    """The day so many days ago."""
    return TODAY - timedelta(ago)


def publish(
    engine: Engine,
    ago: int,
    sources: Sequence[str] = SOURCES,
    *,
    warnings: Sequence[str] = (),
    received: int = 100,
    aside: int = 10,
    reviewed: int = 20,
) -> None:
    """Record a day as published."""
    kept = received - aside
    steps = {
        "validate": {"received": received, "unchanged": 0, "products": kept, "quarantined": aside, "seconds": 61.0},
        "publish": {"labelled": kept, "accepted": kept - reviewed, "reviewed": reviewed, "seconds": 2.0},
    }
    for source in sources:
        record = BatchRecord.of_day(source, day(ago), steps, model_version="7", warnings=list(warnings))
        record_batch(engine, record)


def fail(engine: Engine, ago: int, source: str = "edamam", *, step: str = "fetch", reason: str = "it is down") -> None:
    """Record a day as failed."""
    record_failure(engine, source, day(ago), step, reason)


def run_of(ago: int, state: str = "success", *, ended: datetime | None = None) -> Run:
    """A run of `champagne_daily`, which began an hour before now unless it is said when it ended."""
    started = (ended or NOW) - timedelta(hours=1)
    ends = None if state in ("queued", "running") else ended or NOW
    return Run("champagne_daily", f"scheduled__{day(ago)}", day(ago), state, started, ends)
