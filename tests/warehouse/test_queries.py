"""What the platform and its people read from the warehouse."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, text

from include.schema import QUARANTINE, Rejection
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse import queries
from include.warehouse.batches import BatchRecord, record_batch
from include.warehouse.loading import load_day
from include.warehouse.queries import (
    QueryRefused,
    batch_counts,
    label_counts,
    labelled_sample,
    products_by_model_version,
    quarantine_counts,
    run_sql,
)
from tests.warehouse.rows import labelled_row, labels_table, trusted_table

SOURCE = "openfoodfacts"
DAY = date(2026, 1, 5)


@pytest.fixture
def loaded(warehouse: Engine, lake: Lake) -> Engine:
    import pyarrow as pa

    path = Batch(SOURCE, DAY).file(Layer.LABELS)
    vinegar = [labelled_row(number, label="vinegar", decision="review") for number in (7, 8)]
    table = pa.concat_tables([labels_table([1, 2, 3]), pa.Table.from_pylist(vinegar, schema=labels_table([1]).schema)])
    lake.write_parquet(path, table)
    first, second = f"{SOURCE}:3000000000001", f"{SOURCE}:3000000000002"
    trusted = trusted_table(
        (second, "juice", "rule"), (first, "still_wine", "rule"), (first, "champagne", "source_tag")
    )
    load_day(warehouse, lake, SOURCE, DAY, labels_path=path, quarantine_path=None, trusted=trusted)
    return warehouse


def test_products_are_counted_by_the_version_that_labelled_them(loaded: Engine, warehouse: Engine) -> None:
    assert list(products_by_model_version(loaded).values()) == [5]


def test_a_sample_shows_every_label_before_it_shows_one_twice(loaded: Engine) -> None:
    assert [row["label"] for row in labelled_sample(loaded, limit=2)] == ["champagne", "vinegar"]
    everything = labelled_sample(loaded, limit=50)
    assert list(everything[0]) == ["name", "label", "confidence", "decision"]
    assert len(everything) == 5


def test_counts_by_label_add_up(loaded: Engine) -> None:
    assert label_counts(loaded) == [
        {"department": "Fine Grocery", "label": "champagne", "products": 3, "accepted": 3, "review": 0},
        {"department": "Fine Grocery", "label": "vinegar", "products": 2, "accepted": 0, "review": 2},
    ]


def test_counts_of_batches_tell_how_many_were_set_aside(warehouse: Engine) -> None:
    reasons = {"no_name": 1, "code_damaged": 3}
    record_batch(
        warehouse,
        BatchRecord(
            SOURCE, DAY, "daily", received=9, quarantined=4, reasons=reasons, labelled=5, accepted=3, reviewed=2
        ),
    )
    assert batch_counts(warehouse) == [
        {
            "day": DAY, "source": SOURCE, "fetched": 9, "quarantined": 4,
            "labelled": 5, "review": 2,
        }
    ]  # fmt: skip


def test_a_row_that_was_set_aside_for_two_reasons_is_counted_under_both(warehouse: Engine, lake: Lake) -> None:
    import pyarrow as pa

    rejections = [
        Rejection(SOURCE, "1", ("no_name", "code_damaged"), "both", position="a:1"),
        Rejection(SOURCE, "2", ("no_name",), "one", position="a:2"),
    ]
    path = Batch(SOURCE, DAY).file(Layer.QUARANTINE)
    lake.write_parquet(path, pa.Table.from_pylist([rejection.to_row() for rejection in rejections], schema=QUARANTINE))
    load_day(warehouse, lake, SOURCE, DAY, labels_path=None, quarantine_path=path, trusted=None)
    assert quarantine_counts(warehouse) == [
        {"day": DAY, "source": SOURCE, "reason": "code_damaged", "rows": 1},
        {"day": DAY, "source": SOURCE, "reason": "no_name", "rows": 2},
    ]


def test_a_query_gives_its_columns_and_at_most_the_rows_asked_for(loaded: Engine) -> None:
    columns, rows = run_sql(loaded, "SELECT name, 'a:b'::text AS kind FROM labelled_products ORDER BY 1", limit=2)
    assert columns == ["name", "kind"]
    assert rows == [("Champagne brut cuvée n° 1", "a:b"), ("Champagne brut cuvée n° 2", "a:b")]


def test_a_percent_sign_is_only_a_percent_sign(loaded: Engine) -> None:
    _columns, rows = run_sql(loaded, "SELECT count(*) FROM labelled_products WHERE name LIKE '%brut%'")
    assert rows == [(5,)]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM labelled_products",
        "WITH gone AS (DELETE FROM labelled_products RETURNING 1) SELECT * FROM gone",
        "SELECT 1; DELETE FROM labelled_products",
        "SELECT 1; COMMIT; DELETE FROM labelled_products",
        "COPY labelled_products TO STDOUT",
        "COMMIT; DELETE FROM labelled_products",
        "SET TRANSACTION READ WRITE; DELETE FROM labelled_products; COMMIT",
        "SELECT nothing FROM nowhere",
        "SET work_mem = '1MB'",
        "",
    ],
)
def test_a_query_that_is_wrong_or_would_write_is_refused_and_changes_nothing(loaded: Engine, query: str) -> None:
    with pytest.raises(QueryRefused):
        run_sql(loaded, query)
    with loaded.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM labelled_products")) == 5


def test_a_query_without_rows_still_has_columns(loaded: Engine) -> None:
    assert run_sql(loaded, "SELECT name FROM labelled_products WHERE false") == (["name"], [])


def test_a_query_without_end_is_ended(loaded: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "QUERY_SECONDS", 1)
    with pytest.raises(QueryRefused, match="statement timeout"):
        run_sql(loaded, "SELECT pg_sleep(30)")
