"""Reads the records that were set aside: page by page for people, and all of a day as a stream for downloads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Engine, Text, cast, func, select
from sqlalchemy.dialects.postgresql import array

from include.warehouse.tables import quarantined_products

STREAMED_ROWS = 200
"""Rows that a download fetches at a time: a raw record may have 200,000 characters."""


def quarantine_page(
    engine: Engine,
    source: str,
    day: date,
    *,
    reason: str | None = None,
    after: str | None = None,
    rows: int,
    raw_characters: int,
) -> list[dict[str, Any]]:
    """At most so many quarantined rows of a day, by rejection id: those behind the id `after`, from the first without.

    rejection_id, native_id, reasons, detail, position, raw (cut to `raw_characters`) and raw_length. It costs the same
    on the last page as on the first; with a `reason`, rows of others on the way are skipped in the table.
    """
    stored = quarantined_products.c
    query = select(
        stored.rejection_id,
        stored.native_id,
        stored.reasons,
        stored.detail,
        stored.position,
        func.left(stored.raw, raw_characters).label("raw"),
        func.length(stored.raw).label("raw_length"),
    ).where(*_of_day(source, day, reason))
    if after is not None:
        query = query.where(stored.rejection_id > after)
    with engine.connect() as connection:
        found = connection.execute(query.order_by(stored.rejection_id).limit(rows)).mappings()
        return [dict(row) for row in found]


def stream_quarantine(engine: Engine, source: str, day: date, *, reason: str | None = None) -> Iterator[dict[str, Any]]:
    """All quarantined rows of a day with their whole raw records, by rejection id; memory holds some hundred rows.

    A connection of the engine is in use until the last row was taken or the iterator is closed.
    """
    stored = quarantined_products.c
    columns = (stored.native_id, stored.reasons, stored.detail, stored.position, stored.raw)
    query = select(*columns).where(*_of_day(source, day, reason)).order_by(stored.rejection_id)
    with engine.connect() as connection:
        found = connection.execution_options(yield_per=STREAMED_ROWS).execute(query)
        for row in found.mappings():
            yield dict(row)


def _of_day(source: str, day: date, reason: str | None) -> list[ColumnElement[bool]]:
    stored = quarantined_products.c
    where: list[ColumnElement[bool]] = [stored.source == source, stored.day == day]
    if reason is not None:
        where.append(stored.reasons.contains(array([cast(reason, Text)])))
    return where
