"""The pages of validation: every day with its verdicts, one day with rules, their past, and what was set aside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from include.pages.stored_reports import report_folder
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.warehouse.batches import record_failure
from tests.pages.web.reading import read_page
from tests.pages.web.validated_days import HOSTILE, leave_day, leave_drift, rejected

FIRST = date(2026, 1, 5)


def batch_of(number: int, source: str = "openfoodfacts") -> Batch:
    """The batch of a day, counted from the first."""
    return Batch(source, FIRST + timedelta(days=number))


@pytest.fixture
def stored(warehouse_settings: Settings) -> Lake:
    """The lake that the pages read."""
    return Lake(warehouse_settings.lake_root)


@pytest.fixture
def refused(stored: Lake, warehouse: Engine) -> Iterator[Batch]:
    """A refused day after two green ones."""
    leave_day(stored, warehouse, batch_of(0), [rejected(1)])
    leave_day(stored, warehouse, batch_of(1), [rejected(1), rejected(2, "not_json")], warned=["volume"])
    leave_day(stored, warehouse, batch_of(2), [rejected(n) for n in range(60)], broken=["rejected_share"])
    yield batch_of(2)


def test_before_the_first_day_the_list_says_what_makes_one(viewer: TestClient) -> None:
    page = read_page(viewer, "validation")
    assert "No day has been validated yet" in page.text
    assert "./../dags/champagne_daily" in page.references, "Airflow's own page, beside ours"


def test_the_list_has_every_day_newest_first_with_what_broke(
    viewer: TestClient, stored: Lake, warehouse: Engine, refused: Batch
) -> None:
    leave_day(stored, warehouse, batch_of(1, "edamam"))
    leave_drift(stored, batch_of(1, "edamam"))
    record_failure(warehouse, "edamam", batch_of(3).day, "fetch", "The source did not answer.")
    page = read_page(viewer, "validation")
    days = [reference for reference in page.references if re.fullmatch(r"\./validation/\w+/[\d-]+", reference)]
    assert list(dict.fromkeys(days)) == [
        "./validation/edamam/2026-01-08",
        "./validation/openfoodfacts/2026-01-07",
        "./validation/edamam/2026-01-06",
        "./validation/openfoodfacts/2026-01-06",
        "./validation/openfoodfacts/2026-01-05",
    ]
    for told in ("✗ fetch failed before its report", "✗ refused rejected share", "! remarks volume", "! warning label"):
        assert told in page.text


def test_the_list_goes_on_with_older_days_and_keeps_its_source(
    viewer: TestClient, stored: Lake, warehouse: Engine
) -> None:
    for number in range(16):
        record_failure(warehouse, "openfoodfacts", batch_of(number).day, "fetch", "x")
    record_failure(warehouse, "edamam", FIRST, "fetch", "x")
    page = read_page(viewer, "validation?source=openfoodfacts")
    assert len(set(re.findall(r"2026-\d\d-\d\d", page.text))) == 14
    assert "./validation?source=openfoodfacts&until=2026-01-06" in page.references
    older = read_page(viewer, "validation?source=openfoodfacts&until=2026-01-06")
    assert "2026-01-06" in older.text and "2026-01-05" in older.text and "2026-01-07" not in older.text
    assert "Older days" not in older.text


@pytest.mark.parametrize("until", ["yesterday", "2026-13-01", "20260105", HOSTILE])
def test_an_odd_day_in_the_address_is_ignored_and_named(viewer: TestClient, until: str) -> None:
    answer = viewer.get("validation", params={"until": until, "source": "nobody"})
    assert answer.status_code == 200
    assert "is no day such as 2026-01-05" in answer.text
    assert "<script>alert" not in answer.text


def test_a_day_shows_rules_with_their_past_reasons_labels_and_drift(
    viewer: TestClient, stored: Lake, refused: Batch
) -> None:
    leave_drift(stored, batch_of(1))
    page = read_page(viewer, "validation/openfoodfacts/2026-01-06")
    for told in (
        "✓ holds No product is in the batch twice.",
        "! warning There are about as many products",
        "– not judged The records of this source",
        "Every label is one of the taxonomy.",
        "The product has no name.",
        "the mix of labels is another",
        "Open Food Facts contributors",
    ):
        assert told in page.text
    html = viewer.get("validation/openfoodfacts/2026-01-06").text
    assert 'aria-label="Held in 2 of the last 2 reports that judged it"' in html
    assert 'aria-label="Held in 1 of the last 2 reports that judged it; not on 2026-01-06"' in html
    assert "What changed" not in page.text
    assert {"../../validation/openfoodfacts/2026-01-05", "../../validation/openfoodfacts/2026-01-07"} <= set(
        page.references
    )


def test_a_refused_day_begins_with_what_changed_since_the_last_green_run(viewer: TestClient, refused: Batch) -> None:
    page = read_page(viewer, "validation/openfoodfacts/2026-01-07")
    changed = page.text[page.text.index("What changed since the last green run") : page.text.index("Rules")]
    assert "Compared with 2026-01-06" in changed
    assert "At most 20 % of the records are set aside. Found now: 31 %" in changed and "Then: as expected" in changed
    assert "quarantined 2 60" in changed
    assert "no name The product has no name. 1 · 1 % 60 · 37.5 %" in changed
    assert "not json" not in changed, "it became rarer"
    assert page.text.index("What changed") < page.text.index("This batch was rejected")


def test_a_refused_day_without_a_green_one_before_says_so(viewer: TestClient, stored: Lake, warehouse: Engine) -> None:
    leave_day(stored, warehouse, batch_of(0), [rejected(1)], broken=["volume"])
    leave_day(stored, warehouse, batch_of(1), [rejected(1)], broken=["volume"])
    assert "no green run to compare with" in read_page(viewer, "validation/openfoodfacts/2026-01-06").text


def test_reports_of_before_summaries_had_rules_have_a_past_too(
    viewer: TestClient, stored: Lake, refused: Batch
) -> None:
    for number in (0, 1):
        path = f"{report_folder(batch_of(number), 'products')}/summary.json"
        summary = json.loads(stored.read_bytes(path))
        del summary["rules"], summary["reasons"]
        stored.write_bytes(path, json.dumps(summary).encode())
    html = viewer.get("validation/openfoodfacts/2026-01-07").text
    assert 'aria-label="Held in 2 of the last 3 reports that judged it; not on 2026-01-07"' in html
    assert "1 · 1 %" in html


def test_a_report_that_lacks_most_or_cannot_be_read_is_no_error(
    viewer: TestClient, stored: Lake, refused: Batch
) -> None:
    folder = report_folder(refused, "products")
    stored.write_bytes(
        f"{folder}/result.json", b'{"rules": [{"rule": "volume", "observed": 3}], "bars": {}, "counts": 1}'
    )
    assert "volume" in read_page(viewer, "validation/openfoodfacts/2026-01-07").text
    for broken in (b"[" * 100_000, b"\xff\xfe", b"[]", b""):
        for name in ("result.json", "summary.json"):
            stored.write_bytes(f"{folder}/{name}", broken)
        assert "There is no report of this day" in read_page(viewer, "validation/openfoodfacts/2026-01-07").text
        read_page(viewer, "validation")


def test_a_batch_that_failed_before_its_report_tells_why(viewer: TestClient, warehouse: Engine) -> None:
    record_failure(warehouse, "edamam", FIRST, "fetch", f"The source did not answer. {HOSTILE}")
    page = read_page(viewer, "validation/edamam/2026-01-05")
    assert "This batch failed at the step fetch" in page.text
    assert "The source did not answer." in page.text
    assert page.tags.count("script") == 1 and "img" not in page.tags


@pytest.mark.parametrize(
    "address",
    [
        "validation/nobody/2026-01-07",
        "validation/openfoodfacts/2026-01-31",
        "validation/openfoodfacts/not-a-day",
        "validation/..%2F..%2Fproducts/2026-01-07",
        "validation/%00/2026-01-07",
        "validation/openfoodfacts/2026-01-31/quarantine.csv",
    ],
)
def test_a_batch_that_nobody_knows_is_not_found(viewer: TestClient, refused: Batch, address: str) -> None:
    answer = viewer.get(address)
    assert answer.status_code == 404
    assert "There is no batch of" in answer.text or "Not found" in answer.text


def test_nothing_in_a_record_is_taken_for_a_part_of_the_page(
    viewer: TestClient, stored: Lake, warehouse: Engine
) -> None:
    hostile = rejected(1, native_id=HOSTILE, detail=HOSTILE, raw={HOSTILE: HOSTILE}, position=HOSTILE)
    leave_day(stored, warehouse, batch_of(0), [hostile, rejected(2, HOSTILE)], broken=["volume"])
    for address in ("validation", "validation/openfoodfacts/2026-01-05"):
        page = read_page(viewer, address)
        assert page.tags.count("script") == 1 and "img" not in page.tags
        assert "\u202e" not in page.text
    assert "{{7*7}}" in page.text and "[U+202E]" in page.text
