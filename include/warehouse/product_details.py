"""All that the warehouse knows of one product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from include.warehouse.tables import label_history, label_reviews, labelled_products, training_labels

MOST_ROWS = 200
"""Of a product's history and reviews: the newest."""


@dataclass(frozen=True)
class ProductDetails:
    """One product, each row as a dictionary by the names of its columns."""

    product: dict[str, Any]
    """Its row of `labelled_products`."""
    history: list[dict[str, Any]]
    """Labels that models gave it, of `label_history`, newest first."""
    reviews: list[dict[str, Any]]
    """Decisions of people, of `label_reviews`, newest first."""
    trusted: list[dict[str, Any]]
    """Labels that training may use, of `training_labels`, by origin."""


def read_product(connection: Connection, product_id: str) -> ProductDetails | None:
    """A product by its id, e.g. `openfoodfacts:3018333000014`; None if there is none, whatever the id is."""
    if "\0" in product_id or not product_id.isprintable():
        return None
    query = select(labelled_products).where(labelled_products.c.product_id == product_id)
    product = connection.execute(query).mappings().one_or_none()
    if product is None:
        return None
    history, reviews, trusted = label_history.c, label_reviews.c, training_labels.c
    return ProductDetails(
        product=dict(product),
        history=_rows(
            connection,
            select(label_history)
            .where(history.product_id == product_id)
            .order_by(history.last_day.desc(), history.model_version.desc())
            .limit(MOST_ROWS),
        ),
        reviews=_rows(
            connection,
            select(label_reviews)
            .where(reviews.product_id == product_id)
            .order_by(reviews.review_id.desc())
            .limit(MOST_ROWS),
        ),
        trusted=_rows(
            connection, select(training_labels).where(trusted.product_id == product_id).order_by(trusted.origin)
        ),
    )


def _rows(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]
