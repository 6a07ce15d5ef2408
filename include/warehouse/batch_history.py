"""What people look at of the table `batches`: the newest ones, those of some days, and what there is to choose from.

The key (source, day) is the only index: what can be found by it is, and a list over all sources reads the table, which
has a row for each source and day and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, Text, and_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from include.warehouse.tables import batches

REFUSAL = "was rejected, nothing of it goes on"
"""Words in the reason of a batch that broke a batch rule, as opposed to one whose step failed."""
MOST_SOURCES = 200
"""Sources that are offered to choose from; each imported catalogue may be one."""


class Outcome(StrEnum):
    """What became of a batch, as people filter by it; a batch may have more than one."""

    PUBLISHED = "published"
    WARNED = "warned"
    """Published, with a warning about drift."""
    FAILED = "failed"
    """Refused, or a step failed."""
    REFUSED = "refused"
    """A batch rule was broken."""


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A row of `batches`, as far as a page shows it; None is what no run has counted yet."""

    source: str
    day: date
    kind: str
    """`daily` or `import`."""
    status: str
    """`published` or `failed`."""
    received: int | None = None
    unchanged: int | None = None
    quarantined: int | None = None
    reasons: dict[str, int] | None = None
    labelled: int | None = None
    accepted: int | None = None
    reviewed: int | None = None
    durations: dict[str, float] | None = None
    model_version: str | None = None
    warnings: list[str] | None = None
    failed_step: str | None = None
    error: str | None = None
    updated_at: datetime | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it broke a batch rule."""
        return self.status == "failed" and REFUSAL in (self.error or "")

    @property
    def is_empty(self) -> bool:
        """Whether it was published and the source had nothing new."""
        return self.status == "published" and self.received is not None and self.received <= (self.unchanged or 0)

    @property
    def seconds(self) -> float | None:
        """How long the last run of each of its steps took, together."""
        return sum(self.durations.values()) if self.durations else None


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """Which batches are looked for; None leaves a choice open."""

    source: str | None = None
    kind: str | None = None
    outcome: Outcome | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What must hold of a row."""
        columns = batches.c
        found: list[ColumnElement[bool]] = []
        if self.source is not None:
            found.append(columns.source == self.source)
        if self.kind is not None:
            found.append(columns.kind == self.kind)
        if self.outcome is not None:
            found.append(_OUTCOMES[self.outcome])
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ends: the next one begins after it."""

    day: date
    source: str


def newest_batches(
    engine: Engine, chosen: BatchFilter, *, after: Place | None = None, limit: int = 50
) -> list[StoredBatch]:
    """At most `limit` batches, newest day first, the sources of a day by name; those `after` a place."""
    query = select(*_SHOWN).where(*chosen.conditions())
    if after is not None:
        columns = batches.c
        query = query.where(or_(columns.day < after.day, and_(columns.day == after.day, columns.source > after.source)))
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(batches.c.day.desc(), batches.c.source).limit(limit))
        return [StoredBatch(**row) for row in rows.mappings()]


def batches_between(engine: Engine, sources: Sequence[str], first_day: date, last_day: date) -> list[StoredBatch]:
    """The daily batches of some sources from `first_day` to `last_day`, both included, oldest first."""
    columns = batches.c
    query = (
        select(*_SHOWN)
        .where(columns.source.in_(sources), columns.day.between(first_day, last_day), columns.kind == "daily")
        .order_by(columns.day, columns.source)
    )
    with engine.connect() as connection:
        return [StoredBatch(**row) for row in connection.execute(query).mappings()]


def stored_batch(engine: Engine, source: str, day: date) -> StoredBatch | None:
    """One batch; None where no run of it has ended."""
    query = select(*_SHOWN).where(batches.c.source == source, batches.c.day == day)
    with engine.connect() as connection:
        row = connection.execute(query).mappings().one_or_none()
        return StoredBatch(**row) if row else None


def batches_of_days(engine: Engine, first_day: date, last_day: date, *, kind: str | None = None) -> list[StoredBatch]:
    """The batches of all sources from `first_day` to `last_day`, both included, newest first and then by source."""
    query = select(*_SHOWN).where(batches.c.day.between(first_day, last_day), *BatchFilter(kind=kind).conditions())
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(batches.c.day.desc(), batches.c.source))
        return [StoredBatch(**row) for row in rows.mappings()]


def batch_keys(engine: Engine) -> list[tuple[str, date]]:
    """Source and day of every batch."""
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(select(batches.c.source, batches.c.day))]


def first_daily_day(engine: Engine, source: str) -> date | None:
    """The first day of which a source has a daily batch; None if there is none."""
    columns = batches.c
    query = select(columns.day).where(columns.source == source, columns.kind == "daily").order_by(columns.day).limit(1)
    with engine.connect() as connection:
        found: date | None = connection.scalar(query)
    return found


def batch_sources(engine: Engine) -> list[str]:
    """The sources that have a batch, by name; the first 200."""
    column = batches.c.source
    # From one source to the next by the key: the table is not read.
    walk = select(func.min(column).label("source")).cte("walk", recursive=True)
    after = select(func.min(column)).where(column > walk.c.source).scalar_subquery()
    walk = walk.union_all(select(after).where(walk.c.source.is_not(None)))
    query = select(walk.c.source).where(walk.c.source.is_not(None)).limit(MOST_SOURCES)
    with engine.connect() as connection:
        return sorted(connection.scalars(query))


def has_batches_table(engine: Engine) -> bool:
    """Whether the tables of the warehouse are there: the first step that writes makes them."""
    with engine.connect() as connection:
        return connection.scalar(select(func.to_regclass(batches.name))) is not None


_SHOWN = tuple(batches.c[field.name] for field in fields(StoredBatch))
_IS_WARNED = func.coalesce(func.cardinality(cast(batches.c.warnings, ARRAY(Text))), 0) > 0
_OUTCOMES: dict[Outcome, ColumnElement[bool]] = {
    Outcome.PUBLISHED: batches.c.status == "published",
    Outcome.WARNED: and_(batches.c.status == "published", _IS_WARNED),
    Outcome.FAILED: batches.c.status == "failed",
    Outcome.REFUSED: and_(batches.c.status == "failed", batches.c.error.contains(REFUSAL, autoescape=True)),
}
