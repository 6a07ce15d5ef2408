"""Doubtful products are counted exactly up to a limit, whatever their labels."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.doubtful_products import doubtful_products
from include.warehouse.loading import load_day
from tests.warehouse.rows import labelled_row, labels_table

DAY = date(2026, 1, 5)


@pytest.fixture
def loaded(warehouse: Engine, lake: Lake) -> Engine:
    """Seven doubtful products of three labels among ten."""
    labels = ["champagne"] * 4 + ["juice"] * 2 + ["vinegar"]
    rows = [labelled_row(number, label=label, decision="review") for number, label in enumerate(labels)]
    rows += [labelled_row(number, label="beer", decision="accepted") for number in range(7, 10)]
    path = Batch("openfoodfacts", DAY).file(Layer.LABELS)
    lake.write_parquet(path, pa.Table.from_pylist(rows, schema=labels_table([1]).schema))
    load_day(warehouse, lake, "openfoodfacts", DAY, labels_path=path, quarantine_path=None, trusted=None)
    return warehouse


@pytest.mark.parametrize(("limit", "counted"), [(10, 7), (7, 7), (6, 7), (5, 6), (1, 2)])
def test_the_count_is_exact_up_to_the_limit_and_one_more_beyond(loaded: Engine, limit: int, counted: int) -> None:
    assert doubtful_products(loaded, limit) == counted


def test_an_empty_table_has_none(warehouse: Engine) -> None:
    assert doubtful_products(warehouse) == 0
