"""`batches` tells what the last run of a day did; a failure keeps the counts, a success clears the failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.warehouse.batches import BatchRecord, record_batch, record_failure
from include.warehouse.tables import batches

DAY = date(2026, 1, 5)
DRIFT = {"reviewed": {"value": 0.5, "bound": 0.4, "batch": 0.7, "training": 0.2, "verdict": "beyond"}}
WARNINGS = ["openfoodfacts: 70% of the products are for review"]
STEPS: dict[str, dict[str, Any]] = {
    "fetch": {"files": 2, "seconds": 1.5},
    "validate": {
        "received": 14, "unchanged": 1, "products": 10, "quarantined": 3, "reasons": {"no_name": 3},
        "report": "reports/x/index.html", "seconds": 2.0,
    },
    "publish": {"labelled": 10, "accepted": 8, "reviewed": 2, "quarantined": 3, "photos": {"ok": 9}, "seconds": 0.5},
}  # fmt: skip


def only_row(engine: Engine) -> dict[str, Any]:
    """The one row of `batches`."""
    with engine.connect() as connection:
        row = dict(connection.execute(select(batches)).mappings().one())
    row.pop("updated_at")
    return row


def test_a_days_record_holds_the_counts_and_durations_of_its_steps_also_when_written_twice(warehouse: Engine) -> None:
    for _ in range(2):
        record_batch(
            warehouse,
            BatchRecord.of_day("openfoodfacts", DAY, STEPS, model_version="3", drift=DRIFT, warnings=WARNINGS),
        )
        assert only_row(warehouse) == {
            "source": "openfoodfacts", "day": DAY, "kind": "daily", "status": "published", "received": 14,
            "unchanged": 1, "products": 10, "quarantined": 3, "reasons": {"no_name": 3}, "labelled": 10,
            "accepted": 8, "reviewed": 2, "photos": {"ok": 9}, "training_labels": None,
            "durations": {"fetch": 1.5, "validate": 2.0, "publish": 0.5}, "report": "reports/x/index.html",
            "model_version": "3", "drift": DRIFT, "warnings": WARNINGS, "failed_step": None, "error": None,
        }  # fmt: skip


def test_a_step_run_alone_keeps_what_the_other_steps_had_counted(warehouse: Engine) -> None:
    record_batch(warehouse, BatchRecord.of_day("openfoodfacts", DAY, STEPS, model_version="3"))
    before = only_row(warehouse)
    again = {"publish": STEPS["publish"] | {"seconds": 0.75}}
    record_batch(warehouse, BatchRecord.of_day("openfoodfacts", DAY, again, model_version="3"))
    assert only_row(warehouse) == before | {"durations": before["durations"] | {"publish": 0.75}}


def test_an_import_is_recorded_as_an_import(warehouse: Engine) -> None:
    summary = {
        "received": 5, "products": 4, "quarantined": 1, "reasons": {"duplicate": 1}, "photos": 3,
        "training_labels": 4, "report": "", "seconds": 1.0,
    }  # fmt: skip
    record_batch(warehouse, BatchRecord.of_import("flipkart", DAY, summary))
    row = only_row(warehouse)
    assert (row["kind"], row["training_labels"], row["photos"], row["report"]) == ("import", 4, {"ok": 3}, None)


def test_a_failure_keeps_earlier_counts_and_a_success_clears_it(warehouse: Engine) -> None:
    record_batch(warehouse, BatchRecord.of_day("openfoodfacts", DAY, STEPS, model_version="3"))
    published = only_row(warehouse)
    for _ in range(2):
        record_failure(warehouse, "openfoodfacts", DAY, "fetch", "the API is down")
        assert only_row(warehouse) == published | {
            "status": "failed", "failed_step": "fetch", "error": "the API is down",
        }  # fmt: skip
    record_batch(warehouse, BatchRecord.of_day("openfoodfacts", DAY, STEPS, model_version="3"))
    assert only_row(warehouse) == published


def test_a_rerun_without_drift_takes_the_figures_away_and_a_failure_leaves_them(warehouse: Engine) -> None:
    measured = BatchRecord.of_day("openfoodfacts", DAY, STEPS, model_version="3", drift=DRIFT, warnings=WARNINGS)
    record_batch(warehouse, measured)
    record_failure(warehouse, "openfoodfacts", DAY, "fetch", "the API is down")
    assert (only_row(warehouse)["drift"], only_row(warehouse)["warnings"]) == (DRIFT, WARNINGS)
    record_batch(warehouse, replace(measured, drift={}, warnings=[]))
    assert (only_row(warehouse)["drift"], only_row(warehouse)["warnings"]) == ({}, [])


def test_the_first_run_of_a_day_may_fail(warehouse: Engine) -> None:
    record_failure(warehouse, "edamam", DAY, "validate", "x" * 10_000 + "\x00")
    row = only_row(warehouse)
    assert (row["status"], row["failed_step"], row["received"]) == ("failed", "validate", None)
    assert len(row["error"]) == 4_000


@pytest.mark.parametrize(
    ("message", "stored"),
    [
        (
            "GET https://api.edamam.com/x?app_id=1a2b&app_key=geheim&ingr=champagne",
            "app_id=REDACTED&app_key=REDACTED&ingr=champagne",
        ),
        (
            "postgresql+psycopg://cuvee:geheim@host:5432/cuvee failed",
            "postgresql+psycopg://cuvee:REDACTED@host:5432/cuvee",
        ),
        ("page 3: https://host/a:b@c and key = value", "https://host/a:b@c and key = value"),
    ],
)
def test_secrets_of_urls_do_not_reach_the_table(warehouse: Engine, message: str, stored: str) -> None:
    record_failure(warehouse, "edamam", DAY, "validate", message)
    cleaned = only_row(warehouse)["error"]
    assert stored in cleaned
    assert "geheim" not in cleaned
