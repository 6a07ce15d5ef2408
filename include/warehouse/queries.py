"""What the platform itself reads from the warehouse: counts, samples, and people's own queries."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
from sqlalchemy import Engine, Text, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from include.errors import CuveeError
from include.warehouse.engine import driver_connection
from include.warehouse.tables import batches, labelled_products, quarantined_products

QUERY_SECONDS = 60


class QueryRefused(CuveeError):
    """A person's query is wrong, would change something, or takes too long."""


def products_by_model_version(engine: Engine) -> dict[str, int]:
    """Labelled products by the model version that predicted their label, most first."""
    version = labelled_products.c.model_version
    query = select(version, func.count()).group_by(version).order_by(func.count().desc(), version)
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def labelled_sample(engine: Engine, limit: int = 20) -> list[dict[str, Any]]:
    """A few labelled products of every label: name, label, confidence (two digits), decision, by label and id."""
    products = labelled_products.c
    confidence = func.to_char(products.confidence, "0.99").label("confidence")
    shown = (products.name, products.label, confidence, products.decision)
    rank = func.row_number().over(partition_by=products.label, order_by=products.product_id).label("rank")
    ranked = select(*shown, products.product_id, rank).subquery()
    picked = select(ranked).order_by(ranked.c.rank, ranked.c.label).limit(limit).subquery()
    query = select(*(picked.c[column.name] for column in shown)).order_by(picked.c.label, picked.c.product_id)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def label_counts(engine: Engine) -> list[dict[str, Any]]:
    """Products by department and label: department, label, products, accepted, review."""
    columns = labelled_products.c
    accepted = func.count().filter(columns.decision == "accepted")
    query = (
        select(
            columns.department,
            columns.label,
            func.count().label("products"),
            accepted.label("accepted"),
            (func.count() - accepted).label("review"),
        )
        .group_by(columns.department, columns.label)
        .order_by(columns.department, columns.label)
    )
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def batch_counts(engine: Engine) -> list[dict[str, Any]]:
    """Every batch by day and source: day, source, fetched, quarantined, labelled, review; None where it has none."""
    columns = batches.c
    query = select(
        columns.day,
        columns.source,
        columns.received.label("fetched"),
        columns.quarantined,
        columns.labelled,
        columns.reviewed.label("review"),
    ).order_by(columns.day, columns.source)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def daily_batches(engine: Engine, day: date) -> list[dict[str, Any]]:
    """What became of a day's batches, by source: source, status, failed_step, error, warnings (a list)."""
    columns = batches.c
    query = (
        select(
            columns.source,
            columns.status,
            columns.failed_step,
            columns.error,
            func.coalesce(columns.warnings, cast([], ARRAY(Text))).label("warnings"),
        )
        .where(columns.day == day, columns.kind == "daily")
        .order_by(columns.source)
    )
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def newest_daily_batch(engine: Engine) -> date | None:
    """The newest day of which a batch was published; None if there is none."""
    columns = batches.c
    query = select(func.max(columns.day)).where(columns.kind == "daily", columns.status == "published")
    with engine.connect() as connection:
        newest: date | None = connection.execute(query).scalar_one()
    return newest


def quarantine_counts(engine: Engine) -> list[dict[str, Any]]:
    """Quarantined rows by day, source and reason: day, source, reason, rows; a row with two reasons counts in both."""
    stored = quarantined_products.c
    reason = func.unnest(stored.reasons).label("reason")
    exploded = select(stored.day, stored.source, reason).subquery()
    keys = (exploded.c.day, exploded.c.source, exploded.c.reason)
    query = select(*keys, func.count().label("rows")).group_by(*keys).order_by(*keys)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def run_sql(engine: Engine, query: str, limit: int = 100) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one SELECT; returns its column names and at most `limit` rows, without fetching the others.

    PostgreSQL itself refuses what would write, and a second statement (which could end the read-only
    transaction). Raises QueryRefused with the database's reason, also after 60 seconds.
    """
    with engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{QUERY_SECONDS}s'")
        driver = driver_connection(connection)
        try:
            with driver.cursor("people") as cursor:
                cursor.execute(query)
                rows = cursor.fetchmany(limit)
                return [column.name for column in cursor.description or ()], rows
        except psycopg.Error as error:
            if driver.broken:
                raise
            reason = ". ".join(filter(None, (error.diag.message_primary, error.diag.message_hint))) or str(error)
            raise QueryRefused(f"The warehouse refused the query: {reason}") from error
