"""What pages read of `batches`: the newest first, page by page, by source, kind and outcome."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, create_engine, text

from include.errors import BatchRejected
from include.pipeline.daily.batch_report import BatchReport
from include.settings import Settings
from include.warehouse.batch_history import (
    BatchFilter,
    Outcome,
    Place,
    StoredBatch,
    batch_sources,
    batches_between,
    first_daily_day,
    has_batches_table,
    newest_batches,
)
from include.warehouse.batches import BatchRecord, record_batch, record_failure
from include.warehouse.engine import warehouse_url

FIRST = date(2026, 1, 5)
DAYS = 4
SOURCES = ("edamam", "openfoodfacts")


def day(number: int) -> date:
    """A day by its number, from 0 on."""
    return FIRST + timedelta(number)


def publish(engine: Engine, source: str, number: int, *, received: int = 5, warnings: list[str] | None = None) -> None:
    """Record a published day."""
    steps = {"validate": {"received": received, "unchanged": 0, "seconds": 1.5}, "publish": {"seconds": 0.5}}
    record_batch(engine, BatchRecord.of_day(source, day(number), steps, model_version="3", warnings=warnings or []))


@pytest.fixture
def filled(warehouse: Engine) -> Engine:
    """Four days of two sources, one refused, one failed, one with a warning, and an imported catalogue."""
    for source in SOURCES:
        for number in range(DAYS):
            publish(warehouse, source, number, warnings=["drifted"] if (source, number) == ("edamam", 1) else None)
    record_failure(warehouse, "openfoodfacts", day(2), "validate", rejection("openfoodfacts", day(2)))
    record_failure(warehouse, "edamam", day(3), "fetch", "the API is down")
    imported = {"received": 5, "products": 4, "quarantined": 1, "reasons": {}, "photos": 3, "training_labels": 4}
    record_batch(warehouse, BatchRecord.of_import("flipkart", day(1), {**imported, "report": "", "seconds": 1.0}))
    return warehouse


def rejection(source: str, of_day: date) -> str:
    """The message of a batch that broke a rule, as the pipeline words it."""
    report = BatchReport(source, of_day, success=False, failures=["volume"], report_path="x", report_url="file:///x")
    with pytest.raises(BatchRejected) as caught:
        report.raise_if_failed()
    return str(caught.value)


def keys(batches: list[StoredBatch]) -> list[tuple[str, int]]:
    """Source and number of the day of each."""
    return [(batch.source, (batch.day - FIRST).days) for batch in batches]


def test_batches_come_newest_first_and_a_days_sources_by_name(filled: Engine) -> None:
    assert keys(newest_batches(filled, BatchFilter()))[:3] == [
        ("edamam", 3), ("openfoodfacts", 3), ("edamam", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_pages_put_together_are_the_whole_list(filled: Engine, size: int) -> None:
    whole = newest_batches(filled, BatchFilter())
    assert len(whole) == 9
    found: list[StoredBatch] = []
    place = None
    while page := newest_batches(filled, BatchFilter(), after=place, limit=size):
        found += page
        place = Place(page[-1].day, page[-1].source)
    assert found == whole


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (BatchFilter(source="edamam"), [("edamam", 3), ("edamam", 2), ("edamam", 1), ("edamam", 0)]),
        (BatchFilter(kind="import"), [("flipkart", 1)]),
        (BatchFilter(outcome=Outcome.FAILED), [("edamam", 3), ("openfoodfacts", 2)]),
        (BatchFilter(outcome=Outcome.REFUSED), [("openfoodfacts", 2)]),
        (BatchFilter(outcome=Outcome.WARNED), [("edamam", 1)]),
        (BatchFilter(source="edamam", outcome=Outcome.REFUSED), []),
        (BatchFilter(source="' OR 1=1 --"), []),
    ],
)
def test_a_filter_leaves_what_it_names(filled: Engine, chosen: BatchFilter, expected: list[tuple[str, int]]) -> None:
    assert keys(newest_batches(filled, chosen)) == expected


def test_published_batches_are_those_that_did_not_fail(filled: Engine) -> None:
    published = newest_batches(filled, BatchFilter(outcome=Outcome.PUBLISHED))
    assert {batch.status for batch in published} == {"published"}
    assert len(published) == 7


def test_a_batch_is_refused_by_the_pipelines_own_words_and_its_steps_add_up(filled: Engine) -> None:
    by_key = {(batch.source, batch.day): batch for batch in newest_batches(filled, BatchFilter())}
    assert by_key["openfoodfacts", day(2)].is_refused
    assert not by_key["edamam", day(3)].is_refused
    assert by_key["edamam", day(0)].seconds == 2.0


def test_a_batch_is_empty_when_all_that_came_was_known(warehouse: Engine) -> None:
    publish(warehouse, "edamam", 0, received=0)
    publish(warehouse, "edamam", 1)
    assert [batch.is_empty for batch in batches_between(warehouse, ["edamam"], day(0), day(1))] == [True, False]
    unknown = StoredBatch("edamam", FIRST, "daily", "published")
    assert not unknown.is_empty


def test_the_batches_of_some_days_are_the_daily_ones_oldest_first(filled: Engine) -> None:
    found = batches_between(filled, ["edamam", "flipkart"], day(1), day(2))
    assert keys(found) == [("edamam", 1), ("edamam", 2)]


def test_sources_and_their_first_days_are_known(filled: Engine) -> None:
    assert batch_sources(filled) == ["edamam", "flipkart", "openfoodfacts"]
    assert first_daily_day(filled, "edamam") == FIRST
    assert first_daily_day(filled, "flipkart") is None


def test_an_empty_table_has_no_sources_and_no_batches(warehouse: Engine) -> None:
    assert batch_sources(warehouse) == []
    assert newest_batches(warehouse, BatchFilter()) == []
    assert has_batches_table(warehouse)


def test_a_warehouse_without_tables_is_known_as_one(warehouse: Engine, warehouse_settings: Settings) -> None:
    with warehouse.begin() as connection:
        connection.execute(text("DROP TABLE batches"))
    engine = create_engine(warehouse_url(warehouse_settings.warehouse_dsn))
    assert not has_batches_table(engine)
    engine.dispose()
