"""Which products are labelled, and in which batch they were last seen."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.known_products import labelled_among, last_batch
from include.warehouse.loading import load_day
from tests.warehouse.rows import labels_table

SOURCE = "openfoodfacts"
FIRST, SECOND = (f"{SOURCE}:{3_000_000_000_000 + number}" for number in (1, 2))


@pytest.fixture
def loaded(warehouse: Engine, lake: Lake) -> Engine:
    """Two products, the first of which was seen again on the next day."""
    for day, numbers in ((date(2026, 1, 5), [1, 2]), (date(2026, 1, 6), [1])):
        path = Batch(SOURCE, day).file(Layer.LABELS)
        lake.write_parquet(path, labels_table(numbers))
        load_day(warehouse, lake, SOURCE, day, labels_path=path, quarantine_path=None, trusted=None)
    return warehouse


def test_products_of_a_catalogue_are_not_among_the_labelled_ones(loaded: Engine) -> None:
    assert labelled_among(loaded, [FIRST, "flipkart:1"]) == {FIRST}
    assert labelled_among(loaded, []) == set()


def test_a_product_was_last_seen_in_its_newest_batch(loaded: Engine) -> None:
    assert last_batch(loaded, FIRST) == Batch(SOURCE, date(2026, 1, 6))
    assert last_batch(loaded, SECOND) == Batch(SOURCE, date(2026, 1, 5))


@pytest.mark.parametrize("odd", ["openfoodfacts:%", "", "a\0b", "' OR true --"])
def test_an_unknown_product_was_in_no_batch(loaded: Engine, odd: str) -> None:
    assert last_batch(loaded, odd) is None
