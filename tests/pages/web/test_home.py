"""The first page says in one glance what needs a person, and says so when nothing does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from include.pages.web import attention
from include.pages.web.attention import spells_of
from include.pages.web.clock import now
from include.pages.web.days import Day, DayState
from include.pages.web.host import Run
from include.warehouse.promotions import PromotionRecord, record_decision
from tests.pages.web.batch_rows import NOW, REASON, day, fail, publish, run_of
from tests.pages.web.hosts import SmallHost
from tests.warehouse.rows import labelled_row

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{7*7}}'


@pytest.fixture(autouse=True)
def fixed_time(application: FastAPI) -> None:
    application.dependency_overrides[now] = lambda: NOW


@pytest.fixture
def well(warehouse: Engine, host: SmallHost) -> Engine:
    """A platform on which ten days are published and nothing waits."""
    record_decision(warehouse, PromotionRecord("7", None, True, "the first model", "train"), once=True)
    for ago in range(1, 11):
        publish(warehouse, ago)
        host.stored.append(run_of(ago))
    host.alive = NOW - timedelta(seconds=5)
    return warehouse


def counts(page: str) -> dict[str, str]:
    """The figures of the page: name → value."""
    cards = re.findall(r"<div><dt>([^<]+)</dt>\s*<dd[^>]*>(.*?)<small>", page, re.DOTALL)
    return {name: re.sub(r"<[^>]+>", "", value).strip() for name, value in cards}


def test_all_well_is_one_calm_sentence(well: Engine, viewer: TestClient) -> None:
    page = viewer.get("").text
    assert "All is well." in page
    assert f"Every day up to {day(1)} is published" in page
    assert counts(page) == {
        "Days to redo": "0", "Refused batches": "0", "Drift warnings": "0", "Approvals": "0", "Doubtful products": "0",
        "Champion": "version 7",
    }  # fmt: skip
    assert "<h2>" not in page


def test_a_day_that_is_being_run_is_no_trouble(well: Engine, host: SmallHost, viewer: TestClient) -> None:
    with well.begin() as connection:
        connection.execute(text("DELETE FROM batches WHERE day = :day"), {"day": day(1)})
    host.stored[0] = run_of(1, "running")
    page = viewer.get("").text
    assert "All is well." in page
    assert "1 day is being run now" in page


def test_a_new_installation_says_what_to_do_first(viewer: TestClient) -> None:
    page = viewer.get("").text
    assert "Nothing has run yet" in page
    assert "python -m include train" in page
    assert 'href="./../dags/champagne_daily/backfills" data-host' in page
    assert "never seen" in page


def test_a_warehouse_without_tables_is_a_new_installation(warehouse: Engine, viewer: TestClient) -> None:
    with warehouse.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    assert "Nothing has run yet" in viewer.get("").text
    assert "No batch yet." in viewer.get("batches").text


def test_a_new_installation_with_a_model_goes_on_from_there(warehouse: Engine, viewer: TestClient) -> None:
    record_decision(warehouse, PromotionRecord("1", None, True, "the first model", "train"), once=True)
    page = viewer.get("").text
    assert "A model is there: version <bdi>1</bdi>" in page
    assert "python -m include train" not in page


def test_failed_missing_and_refused_days_are_named_with_what_to_do(
    well: Engine, host: SmallHost, viewer: TestClient
) -> None:
    with well.begin() as connection:
        connection.execute(
            text("DELETE FROM batches WHERE day BETWEEN :first AND :last"), {"first": day(6), "last": day(5)}
        )
    host.stored = [run_of(1), run_of(2, "failed"), run_of(3, "failed")]
    fail(well, 2)
    fail(well, 3, step="validate", reason=REASON)
    page = viewer.get("").text
    assert "All is well" not in page
    assert counts(page)["Days to redo"] == "3"
    assert counts(page)["Refused batches"] == "1"
    assert f"<strong>{day(6)} to {day(5)}</strong>" in page
    assert "openfoodfacts, edamam" in page
    assert "failed at fetch" in page
    assert "it is down" in page
    assert f'<a href="./validation/edamam/{day(3)}">Report</a>' in page
    assert f'<a href="./../dags/champagne_daily/runs/scheduled__{day(2)}" data-host>Run</a>' in page


def test_a_run_that_failed_alone_is_named(well: Engine, host: SmallHost, viewer: TestClient) -> None:
    with well.begin() as connection:
        connection.execute(text("UPDATE batches SET updated_at = :early"), {"early": NOW - timedelta(days=1)})
    host.stored[0] = run_of(1, "failed")
    page = viewer.get("").text
    assert "another task failed" in page
    assert counts(page)["Days to redo"] == "1"


def test_warnings_of_the_last_week_show_the_newest_of_each_source(well: Engine, viewer: TestClient) -> None:
    publish(well, 2, ["edamam"], warnings=["edamam: the newest warning"])
    publish(well, 4, ["edamam"], warnings=["edamam: an older warning"])
    publish(well, 9, ["openfoodfacts"], warnings=["openfoodfacts: of last week"])
    page = viewer.get("").text
    assert counts(page)["Drift warnings"] == "2"
    assert "the newest warning" in page
    assert "an older warning" not in page
    assert "of last week" not in page
    assert "batches?status=warned" in page


def test_approvals_the_scheduler_and_a_missing_champion_need_a_person(
    warehouse: Engine, host: SmallHost, viewer: TestClient
) -> None:
    publish(warehouse, 1)
    host.stored = [run_of(1)]
    host.waiting = [Run("retrain_weekly", "scheduled__w", day(3), "running", None, None)]
    host.alive = NOW - timedelta(minutes=3)
    page = viewer.get("").text
    assert 'href="./../dags/retrain_weekly/runs/scheduled__w" data-host' in page
    assert "silent for 3 minutes" in page
    assert "There is no champion model" in page
    assert counts(page)["Champion"] == "none"


@pytest.mark.parametrize("silent", [None, timedelta(seconds=61)])
def test_nothing_is_well_without_a_scheduler(
    well: Engine, host: SmallHost, viewer: TestClient, silent: timedelta | None
) -> None:
    host.alive = None if silent is None else NOW - silent
    page = viewer.get("").text
    assert "All is well" not in page
    assert "The scheduler is not alive" in page


def test_doubtful_products_are_counted_as_far_as_the_limit(
    well: Engine, viewer: TestClient, monkeypatch: pytest.MonkeyPatch, add_products: Callable[[int], None]
) -> None:
    add_products(3)
    page = viewer.get("").text
    assert counts(page)["Doubtful products"] == "3"
    assert "3 doubtful products can be" in page
    monkeypatch.setattr(attention, "MOST_COUNTED", 2)
    monkeypatch.setattr("include.pages.web.home.MOST_COUNTED", 2)
    assert counts(viewer.get("").text)["Doubtful products"] == "more than 2"


@pytest.fixture
def add_products(warehouse: Engine, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], None]:
    """A function that loads so many doubtful products."""
    import pyarrow as pa

    from include.storage.batch import Batch
    from include.storage.lake import Lake
    from include.storage.layers import Layer
    from include.warehouse.loading import load_day
    from tests.warehouse.rows import labels_table

    def add(number: int) -> None:
        lake = Lake(str(tmp_path_factory.mktemp("lake")))
        path = Batch("openfoodfacts", day(1)).file(Layer.LABELS)
        rows = [labelled_row(one, decision="review") for one in range(number)]
        lake.write_parquet(path, pa.Table.from_pylist(rows, schema=labels_table([1]).schema))
        load_day(warehouse, lake, "openfoodfacts", day(1), labels_path=path, quarantine_path=None, trusted=None)

    return add


def test_texts_of_records_are_shown_and_never_run(well: Engine, host: SmallHost, viewer: TestClient) -> None:
    fail(well, 2, step=HOSTILE, reason=f"{HOSTILE}\u202egnp.exe")
    publish(well, 3, ["edamam"], warnings=[HOSTILE])
    page = viewer.get("").text
    assert "<script>alert" not in page
    assert "<img src" not in page
    assert "{{7*7}}" in page
    assert "\u202e" not in page


def test_days_in_a_row_with_the_same_wrong_are_one_and_refused_ones_are_not() -> None:
    def days(source: str, *states: DayState) -> list[Day]:
        return [Day(source, day(len(states) - place), state) for place, state in enumerate(states)]

    never, refused, fine = DayState.NEVER, DayState.REFUSED, DayState.PUBLISHED
    spells = spells_of({
        "edamam": days("edamam", never, never, fine, refused, refused, never),
        "openfoodfacts": days("openfoodfacts", never, never, fine, fine, fine, fine),
    })  # fmt: skip
    assert [(spell.sources, len(spell.days()), spell.example.state) for spell in spells] == [
        (("edamam",), 1, never),
        (("edamam",), 1, refused),
        (("edamam",), 1, refused),
        (("edamam", "openfoodfacts"), 2, never),
    ]
    failed = [replace(one, state=DayState.FAILED) for one in days("edamam", never, never)]
    assert [len(spell.days()) for spell in spells_of({"edamam": failed})] == [2]
