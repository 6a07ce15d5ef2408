"""What the table `batches` says of some batches, for the pages that show their reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, select

from include.warehouse.tables import batches


@dataclass(frozen=True)
class BatchState:
    """A row of `batches`."""

    source: str
    day: date
    kind: str
    status: str
    """`published` or `failed`."""
    updated_at: datetime
    received: int | None = None
    quarantined: int | None = None
    labelled: int | None = None
    reviewed: int | None = None
    model_version: str | None = None
    failed_step: str | None = None
    error: str | None = None
    reasons: Mapping[str, int] | None = None
    warnings: list[str] | None = field(default=None)


_COLUMNS = tuple(batches.c[name] for name in BatchState.__dataclass_fields__)


def batch_keys(engine: Engine, source: str | None = None) -> list[tuple[str, date]]:
    """Source and day of every batch, or of those of one source."""
    query = select(batches.c.source, batches.c.day)
    if source is not None:
        query = query.where(batches.c.source == source)
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(query)]


def batch_state(engine: Engine, source: str, day: date) -> BatchState | None:
    """What became of one batch; None where no run of it has ended."""
    found = _select(engine, batches.c.source == source, batches.c.day == day)
    return found[0] if found else None


def batch_states(engine: Engine, first_day: date, last_day: date, *, kind: str | None = None) -> list[BatchState]:
    """The batches from one day to another, both included, newest day first and then by source."""
    where: list[Any] = [batches.c.day.between(first_day, last_day)]
    if kind is not None:
        where.append(batches.c.kind == kind)
    return _select(engine, *where)


def newest_batches(engine: Engine, limit: int, *, kind: str) -> list[BatchState]:
    """The newest batches of a kind, `daily` or `import`: newest day first and then by source."""
    return _select(engine, batches.c.kind == kind, limit=limit)


def _select(engine: Engine, *where: Any, limit: int | None = None) -> list[BatchState]:
    query = select(*_COLUMNS).where(*where).order_by(batches.c.day.desc(), batches.c.source).limit(limit)
    with engine.connect() as connection:
        return [BatchState(**row) for row in connection.execute(query).mappings()]
