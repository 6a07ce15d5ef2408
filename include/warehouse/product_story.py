"""One product: its facts and label, the labels that it was given before, and the decisions of people about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, select

from include.warehouse.tables import label_history, label_reviews, labelled_products


def labelled_product(engine: Engine, product_id: str) -> dict[str, Any] | None:
    """The row of `labelled_products` of a product; None if there is none, whatever the id is."""
    if "\0" in product_id:  # which PostgreSQL has in no text
        return None
    query = select(labelled_products).where(labelled_products.c.product_id == product_id)
    with engine.connect() as connection:
        row = connection.execute(query).mappings().one_or_none()
        return None if row is None else dict(row)


def labels_given(engine: Engine, product_id: str) -> list[dict[str, Any]]:
    """The labels that model versions gave to a product: rows of `label_history`, newest first."""
    columns = label_history.c
    query = (
        select(label_history)
        .where(columns.product_id == product_id)
        .order_by(columns.last_day.desc(), columns.first_day.desc(), columns.model_version.desc())
    )
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def reviews_of(engine: Engine, product_id: str) -> list[dict[str, Any]]:
    """The decisions of people about a product: rows of `label_reviews`, newest first."""
    columns = label_reviews.c
    query = select(label_reviews).where(columns.product_id == product_id).order_by(columns.review_id.desc())
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def labelled_among(engine: Engine, product_ids: Sequence[str]) -> set[str]:
    """Those of some products that are in `labelled_products`: products of a catalogue are not."""
    if not product_ids:
        return set()
    identity = labelled_products.c.product_id
    with engine.connect() as connection:
        return set(connection.scalars(select(identity).where(identity.in_(product_ids))))
