"""Which model versions the catalogue was labelled again with, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, func, select

from include.warehouse.tables import relabellings


def relabelled_versions(
    engine: Engine, since: datetime | None = None, until: datetime | None = None
) -> dict[str, datetime]:
    """Model version → when its newest shard was written, newest first; only of shards in a time, if one is given."""
    row = relabellings.c
    newest = func.max(row.relabelled_at)
    query = select(row.model_version, newest).group_by(row.model_version).order_by(newest.desc())
    if since is not None:
        query = query.where(row.relabelled_at >= since)
    if until is not None:
        query = query.where(row.relabelled_at <= until)
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
