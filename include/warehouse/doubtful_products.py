"""How many products a person should look at, counted as far as it matters."""

from __future__ import annotations

from sqlalchemy import Engine, func, literal, select, true

from include.warehouse.tables import labelled_products


def doubtful_products(engine: Engine, limit: int = 10_000) -> int:
    """The number of products whose decision is `review`; `limit` + 1 where there are more than `limit`."""
    columns = labelled_products.c
    # From label to label by the index on (label, decision), and no further than the limit: never the whole table.
    labels = select(func.min(columns.label).label("label")).cte("labels", recursive=True)
    after = select(func.min(columns.label)).where(columns.label > labels.c.label).scalar_subquery()
    labels = labels.union_all(select(after).where(labels.c.label.is_not(None)))
    doubtful = (
        select(literal(1))
        .where(columns.label == labels.c.label, columns.decision == "review")
        .limit(limit + 1)
        .lateral("doubtful")
    )
    counted = select(literal(1)).select_from(labels.join(doubtful, true())).limit(limit + 1).subquery()
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(counted)) or 0)
