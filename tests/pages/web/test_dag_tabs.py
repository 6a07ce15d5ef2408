"""The tabs beside a DAG and beside a run show what just that one left; on every other DAG there is a sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert

from include.pages.decision_page import write_decision_page
from include.pages.relabel_report import write_relabel_report
from include.pages.web.host import Run
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.warehouse.batches import record_failure
from include.warehouse.tables import relabellings
from tests.pages.judgements import decide, draw_first, draw_promotion, leave
from tests.pages.test_relabel_report import drawn_summary
from tests.pages.web.hosts import SmallHost
from tests.pages.web.reading import read_page
from tests.pages.web.validated_days import HOSTILE, leave_day, leave_drift, rejected

DAY = date(2026, 1, 5)
SCHEDULED = "scheduled__2026-01-05T00:00:00+00:00"


@pytest.fixture
def stored(warehouse_settings: Settings) -> Lake:
    """The lake that the pages read."""
    return Lake(warehouse_settings.lake_root)


def run(host: SmallHost, dag_id: str, run_id: str = SCHEDULED, day: date = DAY, state: str = "success") -> str:
    """Let the host know a run that takes this minute; returns the address of its tab."""
    now = datetime.now(UTC)
    minute = timedelta(minutes=1)
    host.stored.append(Run(dag_id, run_id, day, state, now - minute, now + minute))
    return f"dags/{dag_id}/runs/{run_id}"


@pytest.mark.parametrize(
    "address",
    ["dags/somebody_elses", "dags/somebody_elses/runs/manual__1", "dags/%22><img src=x onerror=alert(2)>{{7*7}}"],
)
def test_another_dag_has_a_sentence_and_a_way_on(viewer: TestClient, address: str) -> None:
    page = read_page(viewer, address)
    assert "Cuvée has nothing about this DAG." in page.text
    assert page.references.count("../" * (address.count("/"))) >= 1
    assert page.tags.count("script") == 1 and "img" not in page.tags


def test_the_tab_of_the_daily_dag_has_its_newest_batches(viewer: TestClient, stored: Lake, warehouse: Engine) -> None:
    assert "It has left no batch yet" in read_page(viewer, "dags/champagne_daily").text
    leave_day(stored, warehouse, Batch("openfoodfacts", DAY), [rejected(1)])
    record_failure(warehouse, "edamam", DAY, "fetch", f"no answer {HOSTILE}")
    record_failure(warehouse, "flipkart", DAY, "import", "the file is damaged", kind="import")
    page = read_page(viewer, "dags/champagne_daily")
    assert "✗ fetch no answer" in page.text and "✓ published 101 1 100 10" in page.text
    assert "../validation/openfoodfacts/2026-01-05" in page.references
    assert "flipkart" not in page.text
    assert "the file is damaged" in read_page(viewer, "dags/import_catalogue").text


def test_the_tab_of_a_daily_run_has_the_reports_of_its_day(
    viewer: TestClient, host: SmallHost, stored: Lake, warehouse: Engine
) -> None:
    address = run(host, "champagne_daily")
    assert "left no batch: the log" in read_page(viewer, address).text
    leave_day(stored, warehouse, Batch("edamam", DAY - timedelta(days=1)))
    leave_day(stored, warehouse, Batch("edamam", DAY), [rejected(1)] * 1, broken=["volume"])
    leave_day(stored, warehouse, Batch("openfoodfacts", DAY), [rejected(2)])
    leave_drift(stored, Batch("openfoodfacts", DAY))
    page = read_page(viewer, address)
    for told in (
        "This batch was rejected",
        "What changed since the last green run Compared with 2026-01-04",
        "Every label is one of the taxonomy.",
        "the mix of labels is another",
    ):
        assert told in page.text
    assert "../../../validation/openfoodfacts/2026-01-05" in page.references


def test_a_run_that_airflow_has_forgotten_is_not_found(viewer: TestClient) -> None:
    answer = viewer.get("dags/champagne_daily/runs/manual__1")
    assert answer.status_code == 404
    assert "choose another run" in answer.text


def test_the_tabs_of_retraining_have_its_decisions(
    viewer: TestClient, host: SmallHost, stored: Lake, warehouse: Engine, warehouse_settings: Settings
) -> None:
    address = run(host, "retrain_weekly", day=date(2026, 1, 12))
    assert "This run has decided nothing" in read_page(viewer, address).text
    for judgement in (draw_first(), draw_promotion()):
        decide(warehouse, judgement)
        write_decision_page(leave(stored, judgement), warehouse_settings)
    assert read_page(viewer, "dags/retrain_weekly").text.count("✓ promoted") == 2
    assert read_page(viewer, address).text.count("✓ promoted") == 2, "both were taken while it ran"
    host.stored.clear()
    past = datetime(2026, 1, 19, tzinfo=UTC)
    host.stored.append(Run("retrain_weekly", "w", date(2026, 1, 12), "success", past, past))
    page = read_page(viewer, "dags/retrain_weekly/runs/w")
    assert page.text.count("✓ promoted") == 1 and "2026-01-18" in page.text


def test_the_tabs_of_relabelling_have_its_reports(
    viewer: TestClient, host: SmallHost, stored: Lake, warehouse: Engine
) -> None:
    address = run(host, "relabel_catalogue")
    for version in ("3", "4"):
        write_relabel_report(stored, drawn_summary(version=version))
    assert "This run has changed no label." in read_page(viewer, address).text
    row = {
        "model_version": "4", "previous_version": "3", "source": "edamam", "decided_by": "model", "label_before": "a",
        "label_after": "b", "decision_before": "review", "decision_after": "review", "products": 3,
    }  # fmt: skip
    with warehouse.begin() as connection:
        connection.execute(insert(relabellings).values(**row))
    links = [link for link in read_page(viewer, address).references if "documents/view" in link]
    assert links == ["../../../documents/view/reports/relabel/version%3D4/index.html"]
    assert viewer.get("documents/view/reports/relabel/version%3D4/index.html").status_code == 200
    assert read_page(viewer, "dags/relabel_catalogue").text.count("✓ complete") == 2
