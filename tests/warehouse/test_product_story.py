"""One product, and what happened to it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.loading import load_day
from include.warehouse.product_story import labelled_among, labelled_product, labels_given, reviews_of
from include.warehouse.reviews import record_review
from tests.warehouse.rows import labels_table

SOURCE = "openfoodfacts"
FIRST, SECOND = (f"{SOURCE}:{3_000_000_000_000 + number}" for number in (1, 2))


@pytest.fixture
def loaded(warehouse: Engine, lake: Lake) -> Engine:
    """Two products, labelled on two days by two versions."""
    for day, version in ((date(2026, 1, 5), "1"), (date(2026, 1, 6), "2")):
        path = Batch(SOURCE, day).file(Layer.LABELS)
        lake.write_parquet(path, labels_table([1, 2], model_version=version))
        load_day(warehouse, lake, SOURCE, day, labels_path=path, quarantine_path=None, trusted=None)
    return warehouse


def test_a_product_is_found_by_its_id_alone(loaded: Engine) -> None:
    found = labelled_product(loaded, FIRST)
    assert found is not None
    assert (found["product_id"], found["model_version"], found["last_seen_day"]) == (FIRST, "2", date(2026, 1, 6))
    for odd in ("openfoodfacts:%", "", "a\0b", "' OR true --"):
        assert labelled_product(loaded, odd) is None


def test_labels_of_a_product_come_newest_first_and_are_its_own(loaded: Engine) -> None:
    assert [(row["product_id"], row["model_version"]) for row in labels_given(loaded, FIRST)] == [
        (FIRST, "2"),
        (FIRST, "1"),
    ]
    assert labels_given(loaded, "' OR true --") == []


def test_reviews_of_a_product_come_newest_first_and_are_its_own(loaded: Engine) -> None:
    for label in ("biscuit", "vinegar"):
        record_review(loaded, FIRST, label, department="Fine Grocery", reviewer="jeanne", comment="seen")
    assert [row["label"] for row in reviews_of(loaded, FIRST)] == ["vinegar", "biscuit"]
    assert reviews_of(loaded, SECOND) == []


def test_products_of_a_catalogue_are_not_among_the_labelled_ones(loaded: Engine) -> None:
    assert labelled_among(loaded, [FIRST, "flipkart:1"]) == {FIRST}
    assert labelled_among(loaded, []) == set()
