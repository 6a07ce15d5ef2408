"""A person's decision is in force at once, is remembered, and trains the next model."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.loading import load_day
from include.warehouse.reviews import UnknownProduct, record_review
from include.warehouse.tables import label_reviews, labelled_products, training_labels
from tests.warehouse.rows import labels_table

PRODUCT = "openfoodfacts:3000000000001"
DAY = date(2026, 1, 5)


@pytest.fixture
def loaded(warehouse: Engine, lake: Lake) -> Engine:
    path = Batch("openfoodfacts", DAY).file(Layer.LABELS)
    lake.write_parquet(path, labels_table([1, 2], decision="review", confidence=0.5))
    load_day(warehouse, lake, "openfoodfacts", DAY, labels_path=path, quarantine_path=None, trusted=None)
    return warehouse


def all_rows(engine: Engine, *columns: Any) -> list[tuple[Any, ...]]:
    """Rows of the given columns, in order."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns))]


def test_a_decision_changes_the_label_is_written_down_and_is_trusted(loaded: Engine) -> None:
    record_review(loaded, PRODUCT, "vinegar", department="Fine Grocery", reviewer="Ana", comment="says so")
    products, reviews, trusted = labelled_products.c, label_reviews.c, training_labels.c
    assert all_rows(loaded, products.label, products.decision, products.decided_by, products.confidence) == [
        ("champagne", "review", "model", 0.5),
        ("vinegar", "accepted", "human", 1.0),
    ]
    assert all_rows(
        loaded, reviews.product_id, reviews.label, reviews.previous_label, reviews.reviewer, reviews.comment
    ) == [(PRODUCT, "vinegar", "champagne", "Ana", "says so")]
    assert all_rows(loaded, trusted.product_id, trusted.origin, trusted.label, trusted.source, trusted.day) == [
        (PRODUCT, "human", "vinegar", "openfoodfacts", DAY)
    ]


def test_the_same_decision_twice_is_one_and_a_changed_mind_is_two(loaded: Engine) -> None:
    for _ in range(2):
        record_review(loaded, PRODUCT, "vinegar", department="Fine Grocery", reviewer="Ana")
    columns = label_reviews.c
    assert all_rows(loaded, columns.review_id, columns.label, columns.previous_label) == [(1, "vinegar", "champagne")]
    for _ in range(2):
        record_review(loaded, PRODUCT, "juice", department="Fine Grocery", reviewer="Ben")
    assert all_rows(loaded, columns.label, columns.previous_label) == [("juice", "vinegar"), ("vinegar", "champagne")]
    assert all_rows(loaded, training_labels.c.label) == [("juice",)]


def test_confirming_the_predicted_label_takes_the_product_out_of_review(loaded: Engine) -> None:
    record_review(loaded, PRODUCT, "champagne", department="Fine Grocery", reviewer="Ana")
    products = labelled_products.c
    assert (PRODUCT, "accepted", "human") in all_rows(
        loaded, products.product_id, products.decision, products.decided_by
    )


def test_an_unknown_product_is_refused_and_nothing_is_written(loaded: Engine) -> None:
    with pytest.raises(UnknownProduct, match="'edamam:nowhere'"):
        record_review(loaded, "edamam:nowhere", "juice", department="Fine Grocery", reviewer="Ana")
    assert all_rows(loaded, label_reviews.c.review_id) == []
    assert all_rows(loaded, training_labels.c.label) == []
