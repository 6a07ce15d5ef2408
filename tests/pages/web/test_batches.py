"""The page of batches shows what came of each, a month at a glance, and what to do about days that failed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from include.pages.web.batches import PAGE
from include.pages.web.clock import now
from include.warehouse.batches import BatchRecord, record_batch
from tests.pages.web.batch_rows import NOW, REASON, day, fail, publish, run_of
from tests.pages.web.hosts import SmallHost

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{7*7}}'
BACKFILLS = "./../dags/champagne_daily/backfills"


@pytest.fixture(autouse=True)
def fixed_time(application: FastAPI) -> None:
    application.dependency_overrides[now] = lambda: NOW


def rows(page: str) -> list[tuple[str, str]]:
    """Day and source of each row of the list of batches."""
    return re.findall(r'<tr><th scope="row" class="whole">([^<]+)</th><td class="source"><bdi>([^<]*)</bdi>', page)


def test_a_batch_shows_its_counts_duration_version_and_where_to_look(
    warehouse: Engine, host: SmallHost, viewer: TestClient
) -> None:
    publish(warehouse, 1, ["openfoodfacts"], received=2_100, aside=100, reviewed=300)
    host.stored = [run_of(1)]
    page = viewer.get("batches").text
    figures = re.findall(r'<td class="figure">([^<]+)</td>', page.split('class="batches"')[1])
    assert figures == ["2,100", "0", "100", "2,000", "1,700", "300", "1 min 3 s"]
    assert "<td>7</td>" in page
    assert f'<a href="./validation/openfoodfacts/{day(1)}">Report</a>' in page
    assert f"./products?source=openfoodfacts&amp;day_from={day(1)}&amp;day_to={day(1)}" in page
    assert f'<a href="./../dags/champagne_daily/runs/scheduled__{day(1)}" data-host>Run</a>' in page


def test_the_chart_marks_days_that_failed_or_never_ran_and_links_to_the_backfills(
    warehouse: Engine, viewer: TestClient
) -> None:
    for ago in (1, 4):
        publish(warehouse, ago)
    fail(warehouse, 2, "openfoodfacts")
    page = viewer.get("batches?source=openfoodfacts").text
    classes = re.findall(r'<li class="day-(\w+)">', page)
    assert classes[-5:] == ["before", "published", "never", "failed", "published"]
    assert len(classes) == 30
    marked = re.findall(r'<li class="day-\w+">\s*<a href="([^"]+)" data-host>', page)
    assert marked == [BACKFILLS] * 2
    for words in (f"{day(2)} (failed at fetch)", f"{day(3)} (never run)"):
        assert f'<a class="nowrap" href="{BACKFILLS}" data-host>{words}</a>' in page


def test_a_failed_batch_says_why_and_a_refused_one_that_it_was(warehouse: Engine, viewer: TestClient) -> None:
    publish(warehouse, 2, ["edamam"])
    fail(warehouse, 2, step="validate", reason=REASON)
    fail(warehouse, 1, "openfoodfacts", step="publish", reason="the warehouse is down " + "x" * 500)
    page = viewer.get("batches").text
    assert "✗ refused" in page
    assert "✗ failed at <bdi>publish</bdi>" in page
    assert "the warehouse is down" in page
    assert page.count("The counts are those of an earlier run") == 1
    assert page.count("Run the day again by a backfill") == 2


def test_filters_leave_what_they_name_and_stay_in_the_form(warehouse: Engine, viewer: TestClient) -> None:
    publish(warehouse, 1)
    publish(warehouse, 2, ["edamam"], warnings=["edamam: drifted"])
    fail(warehouse, 3)
    record_batch(
        warehouse,
        BatchRecord.of_import(
            "flipkart",
            day(2),
            {
                "received": 5, "products": 4, "quarantined": 1, "reasons": {}, "photos": 3, "training_labels": 4,
                "report": "", "seconds": 1.0,
            },
        ),
    )  # fmt: skip
    expected = {
        "source=openfoodfacts": [(str(day(1)), "openfoodfacts")],
        "kind=import": [(str(day(2)), "flipkart")],
        "status=warned": [(str(day(2)), "edamam")],
        "status=failed": [(str(day(3)), "edamam")],
        "source=edamam&status=published": [(str(day(1)), "edamam"), (str(day(2)), "edamam")],
    }
    for query, found in expected.items():
        page = viewer.get(f"batches?{query}").text
        assert rows(page) == found, query
        assert page.count(" selected>") == query.count("=")
    assert "No batch is like that" in viewer.get("batches?status=refused").text


@pytest.mark.parametrize(
    "query",
    [
        "source=nobody", "source=%00", "kind=weekly", "status=odd", "after=yesterday", "after=2026-01-05",
        "after=2026-01-05,%00", "after=2026-99-05,edamam", "after=2026-01-05,%E2%80%AE", "source=%ff%fe",
        "status=' OR 1=1 --",
    ],
)  # fmt: skip
def test_what_an_address_cannot_mean_is_left_out_and_said(warehouse: Engine, viewer: TestClient, query: str) -> None:
    publish(warehouse, 1)
    answer = viewer.get(f"batches?{query}")
    assert answer.status_code == 200
    assert f"no known value for {query.split('=', maxsplit=1)[0]}" in answer.text
    assert len(rows(answer.text)) == 2


def test_pages_follow_one_another_without_a_gap(warehouse: Engine, viewer: TestClient) -> None:
    for ago in range(1, PAGE + 1):
        publish(warehouse, ago)
    seen: list[tuple[str, str]] = []
    address: str | None = "batches?status=published"
    while address:
        page = viewer.get(address).text
        seen += rows(page)
        found = re.search(r'<a class="button" href="\./([^"]+)">Older batches</a>', page)
        address = found.group(1).replace("&amp;", "&") if found else None
        assert len(seen) <= 2 * PAGE
    assert len(seen) == len(set(seen)) == 2 * PAGE
    assert seen == sorted(seen, key=lambda row: (-int(row[0].replace("-", "")), row[1]))


def test_a_silent_scheduler_is_named_with_what_to_do(host: SmallHost, warehouse: Engine, viewer: TestClient) -> None:
    host.alive = NOW - timedelta(seconds=59)
    assert "Seen 59 seconds ago" in viewer.get("batches").text
    host.alive = NOW - timedelta(seconds=61)
    page = viewer.get("batches").text
    assert "silent for 1 minute" in page
    assert "python -m include up" in page


def test_an_empty_table_leads_to_the_first_steps(viewer: TestClient) -> None:
    assert "No batch yet." in viewer.get("batches").text


def test_names_and_reasons_are_shown_and_never_run(warehouse: Engine, viewer: TestClient) -> None:
    fail(warehouse, 1, HOSTILE, step=HOSTILE, reason=HOSTILE)
    fail(warehouse, 2, "a/b?c#d", reason="=cmd|' /C calc'!A0\u202e")
    publish(warehouse, 3, ["edamam"], warnings=[HOSTILE + "\u2066"])
    page = viewer.get("batches").text
    assert "<script>alert" not in page
    assert "<img src" not in page
    assert "{{7*7}}" in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page)
    assert "validation/a/b%3Fc%23d/" in page or "validation/a%2Fb%3Fc%23d/" in page
