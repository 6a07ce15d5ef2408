"""Decisions of people on labels; a decision holds until a person changes it."""

from __future__ import annotations

import logging
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Engine, Select, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from include.errors import CuveeError
from include.warehouse.search_index import note_change
from include.warehouse.tables import label_reviews, labelled_products, training_labels

logger = logging.getLogger(__name__)


class UnknownProduct(CuveeError):
    """A review names a product that is not in the warehouse."""


def record_review(
    engine: Engine, product_id: str, label: str, *, department: str, reviewer: str, comment: str = ""
) -> None:
    """Decide a product's label: written down in `label_reviews`, at once in force, and trusted in training.

    `label` and `department` are the taxonomy's. Confirming the predicted label is a decision too. The same
    decision by the same person with the same comment, made again, adds nothing. Raises UnknownProduct.
    """
    products = labelled_products.c
    with engine.begin() as connection:
        # Locks the product first, as a load does, so that the two wait for each other instead of deadlocking.
        product = connection.execute(
            select(products.label, products.source, products.last_seen_day)
            .where(products.product_id == product_id)
            .with_for_update()
        ).one_or_none()
        if product is None:
            raise UnknownProduct(
                f"There is no product {product_id!r} in the table labelled_products: ids look like "
                "openfoodfacts:3018333000014, see the column product_id there."
            )
        reviews = label_reviews.c
        newest = connection.execute(
            select(reviews.label, reviews.reviewer, reviews.comment)
            .where(reviews.product_id == product_id)
            .order_by(reviews.review_id.desc())
            .limit(1)
        ).one_or_none()
        if newest is None or tuple(newest) != (label, reviewer, comment):
            connection.execute(
                insert(label_reviews).values(
                    product_id=product_id,
                    label=label,
                    previous_label=product.label,
                    reviewer=reviewer,
                    comment=comment,
                )
            )
        connection.execute(
            update(labelled_products)
            .where(products.product_id == product_id)
            .values(label=label, department=department, confidence=1.0, decision="accepted", decided_by="human")
        )
        note_change(connection, product.source, product.last_seen_day, product.last_seen_day, product_id)
        trusted = postgresql_insert(training_labels).values(
            product_id=product_id, origin="human", label=label, source=product.source, day=product.last_seen_day
        )
        connection.execute(
            trusted.on_conflict_do_update(
                index_elements=[training_labels.c.product_id, training_labels.c.origin],
                set_={"label": trusted.excluded.label, "day": trusted.excluded.day},
            )
        )
    logger.info("reviewed product=%s label=%s previous=%s reviewer=%s", product_id, label, product.label, reviewer)


REVIEWED = pa.schema([(name, pa.string()) for name in ("product_id", "label")])


def read_reviews(engine: Engine, before: datetime) -> pa.Table:
    """The newest decision on each product made before a moment (with time zone): rows of `REVIEWED`, by product id."""
    with engine.connect() as connection:
        rows = connection.execute(_newest_reviews(before)).all()
    return pa.table([[row[place] for row in rows] for place in range(len(REVIEWED))], schema=REVIEWED)


def reviews_query(before: datetime) -> str:
    """The SQL of `read_reviews`, its parameter written out: the provenance that a training snapshot records."""
    compiled = _newest_reviews(before).compile(
        dialect=postgresql.dialect(),
        compile_kwargs={"literal_binds": True},
    )
    return " ".join(str(compiled).split())


def _newest_reviews(before: datetime) -> Select:
    reviews = label_reviews.c
    return (
        select(reviews.product_id, reviews.label)
        .where(reviews.reviewed_at < before)
        .ext(distinct_on(reviews.product_id))
        .order_by(reviews.product_id, reviews.review_id.desc())
    )
