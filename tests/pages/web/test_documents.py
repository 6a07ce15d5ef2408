"""Model documents are listed with their outcome, and opened as they were written; nothing else of the lake is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert

from include.pages.decision_page import write_decision_page
from include.pages.decisions_overview import write_decisions_overview
from include.pages.model_documents import DecisionDocument, decisions_of_run
from include.pages.relabel_report import write_relabel_report
from include.pages.stored_documents import StoredDocuments
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.promotions import PromotionRecord, all_decisions, record_decision
from include.warehouse.tables import relabellings
from tests.pages.judgements import EVIL, decide, draw_first, draw_promotion, draw_refusal, leave
from tests.pages.test_relabel_report import drawn_summary
from tests.pages.web.reading import read_page
from tests.pages.web.validated_days import leave_day, rejected


@pytest.fixture
def stored(warehouse_settings: Settings) -> Lake:
    """The lake that the pages read."""
    return Lake(warehouse_settings.lake_root)


@pytest.fixture
def decided(stored: Lake, warehouse: Engine, warehouse_settings: Settings) -> None:
    """Three decisions, of which two have a page, and a judgement that waits for a person."""
    for judgement in (draw_first(), draw_promotion()):
        write_decision_page(leave(stored, judgement), warehouse_settings)
        decide(warehouse, judgement)
    decide(warehouse, draw_refusal(), decided_by=EVIL, reason=EVIL)
    write_decision_page(leave(stored, draw_promotion("2026-02-01")), warehouse_settings)
    write_decisions_overview(warehouse_settings)


def test_before_the_first_document_the_page_says_what_makes_one(viewer: TestClient) -> None:
    page = read_page(viewer, "documents")
    for told in ("There is no model card", "Nothing has been decided yet", "has not been labelled again yet"):
        assert told in page.text


def test_decisions_are_listed_with_version_day_and_outcome(viewer: TestClient, decided: None) -> None:
    page = read_page(viewer, "documents")
    for told in ("○ not decided yet", "✗ rejected", "2026-01-25", "✓ promoted 4 champion was 2 2026-01-18"):
        assert told in page.text
    assert "no page is stored" in page.text
    links = [link for link in page.references if "training%3D" in link]
    assert len(links) == 3
    assert page.tags.count("script") == 1
    for link in links:
        assert viewer.get(link).status_code == 200


def test_relabellings_are_listed_with_their_outcome(viewer: TestClient, stored: Lake, warehouse: Engine) -> None:
    write_relabel_report(stored, drawn_summary())
    write_relabel_report(stored, drawn_summary(version="4", others=7))
    row = {
        "model_version": "5", "previous_version": "4", "source": "edamam", "decided_by": "model", "label_before": "a",
        "label_after": "b", "decision_before": "review", "decision_after": "review", "products": 3,
    }  # fmt: skip
    with warehouse.begin() as connection:
        connection.execute(insert(relabellings).values(**row))
    text = read_page(viewer, "documents").text
    assert "3 ✓ complete 1,250 70 Report" in text
    assert "4 ! 7 left" in text
    assert "5 ! not reported" in text
    assert text.index("! not reported") < text.index("! 7 left") < text.index("✓ complete")


def test_the_model_card_of_this_machine_is_listed_and_opened(viewer: TestClient, warehouse_settings: Settings) -> None:
    folder = warehouse_settings.state_dir / "reports" / "model_card"
    (folder / "figures").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Model card, version 3 &lt;b&gt;</title>card", encoding="utf-8")
    (folder / "figures" / "confusion.svg").write_text("<svg></svg>", encoding="utf-8")
    (folder.parent / "predictions.json").write_text("{}", encoding="utf-8")
    assert "Model card, version 3 <b>" in read_page(viewer, "documents").text
    assert "card" in viewer.get("documents/raw/cards/model_card/index.html").text
    figure = viewer.get("documents/raw/cards/model_card/figures/confusion.svg")
    assert figure.headers["content-type"] == "image/svg+xml"
    assert viewer.get("documents/raw/cards/predictions.json").status_code == 404


def test_a_document_is_opened_within_the_design_and_its_links_go_on_working(viewer: TestClient, decided: None) -> None:
    page = read_page(viewer, "documents/view/reports/retraining/index.html")
    [frame] = [link for link in page.references if "/raw/" in link and link.endswith("index.html")][-1:]
    assert frame == "../../../../documents/raw/reports/retraining/index.html"
    raw = viewer.get("documents/raw/reports/retraining/index.html")
    assert "sandbox allow-same-origin" in raw.headers["content-security-policy"]
    assert "script-src" not in raw.headers["content-security-policy"]
    assert "default-src 'none'; style-src 'unsafe-inline'" in raw.headers["content-security-policy"]
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert raw.headers["content-type"] == "text/html; charset=utf-8"
    inner = read_page(viewer, "documents/raw/reports/retraining/index.html")
    links = sorted({link for link in inner.references if link.startswith("day=")})
    assert len(links) == 2
    for link in links:
        assert viewer.get(f"documents/raw/reports/retraining/{link}").status_code == 200
    folder = links[0].rsplit("/", 1)[0]
    judgement = viewer.get(f"documents/raw/reports/retraining/{folder}/judgement.json")
    assert judgement.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(judgement.text)["candidate"]


HIDDEN = [
    "",
    "reports",
    "reports/retraining",
    "reports/retraining/",
    "reports/validation/../../landing/secret.json",
    "reports/validation/%2e%2e/%2e%2e/landing/secret.json",
    "reports/validation/..%2f..%2flanding%2fsecret.json",
    "reports/validation//secret.json",
    "reports/validation/./secret.json",
    "reports//validation/secret.json",
    "/reports/validation/secret.json",
    "landing/secret.json",
    "reports/digests/day=2026-01-05.json",
    "reports/validation/.hidden.json",
    "reports/validation/secret.parquet",
    "reports/validation/secret",
    "reports/validation/*.json",
    "reports/validation/secre[t].json",
    "reports/validation/link.json",
    "reports/validation/secret.json%00.html",
    "cards/../lake/landing/secret.json",
    "cards/model_card/../secret.json",
    "cards/secret.json",
    "cards//etc/passwd.json",
]


@pytest.mark.parametrize("path", HIDDEN)
def test_no_other_file_is_opened(viewer: TestClient, stored: Lake, warehouse_settings: Settings, path: str) -> None:
    secret = b'{"secret": 1}'
    for place in (
        "landing/secret.json", "reports/validation/.hidden.json", "reports/validation/secret.parquet",
        "reports/validation/secret", "reports/digests/day=2026-01-05.json", "reports/validation/x/secret.json",
    ):  # fmt: skip
        stored.write_bytes(place, secret)
    cards = warehouse_settings.state_dir / "reports"
    (cards / "model_card").mkdir(parents=True)
    (cards / "secret.json").write_bytes(secret)
    for kind in ("raw", "view"):
        answer = viewer.get(f"documents/{kind}/{path}")
        assert answer.status_code == 404, path
        assert "secret&#34;: 1" not in answer.text and '"secret": 1' not in answer.text


def test_documents_are_found_on_disk_and_on_s3(any_lake: Lake, tmp_path: Path) -> None:
    documents = StoredDocuments(any_lake, tmp_path)
    for path in ("reports/relabel/version=3/index.html", "reports/relabel/version=3/summary.json"):
        any_lake.write_bytes(path, path.encode())
        found = documents.read(path)
        assert found is not None and found[0] == path.encode()
    for path in (
        "reports/relabel/version=3",
        "reports/relabel/version=3/index",
        "reports/relabel/version=4/index.html",
    ):
        assert documents.read(path) is None
    any_lake.write_bytes("reports/relabel/version=5/index.html/inner.html", b"x")
    assert documents.read("reports/relabel/version=5/index.html") is None


def test_stored_reports_of_validation_open_from_their_overview(
    viewer: TestClient, stored: Lake, warehouse: Engine
) -> None:
    leave_day(stored, warehouse, Batch("openfoodfacts", date(2026, 1, 5)), [rejected(1)])
    overview = read_page(viewer, "documents/raw/reports/validation/index.html")
    assert len(overview.references) == 2
    for link in overview.references:
        page = read_page(viewer, f"documents/raw/{Layer.VALIDATION_REPORTS}/{link}")
        assert "result.json" in page.references


def test_the_decisions_of_a_run_are_those_taken_while_it_ran_else_its_weeks(
    warehouse: Engine, stored: Lake, decided: None, viewer: TestClient
) -> None:
    rollback = PromotionRecord("2", "4", True, "worse on vinegar", "Ben", kind="rollback")
    record_decision(warehouse, rollback, once=False)
    rows = [
        DecisionDocument(badge=None, stored=one, day=one.day, path="")  # type: ignore[arg-type]
        for one in all_decisions(warehouse)
    ]
    moment = rows[0].stored.decided_at  # type: ignore[union-attr]
    second, day = timedelta(seconds=1), date(2026, 1, 12)
    assert decisions_of_run(rows, day, moment, moment) == rows[:1]
    assert decisions_of_run(rows, day, moment + second, None) == [row for row in rows if row.day == date(2026, 1, 18)]
    assert decisions_of_run(rows, date(2025, 1, 1), None, None) == []
    assert decisions_of_run(rows, date(2025, 1, 1), datetime(2020, 1, 1, tzinfo=UTC), moment) == rows


def test_a_picture_of_a_report_has_its_own_type(viewer: TestClient, stored: Lake, browse: Callable) -> None:
    stored.write_bytes("reports/retraining/day=2026-01-11/figure.png", b"\x89PNG\r\n\x1a\n")
    answer = viewer.get("documents/raw/reports/retraining/day=2026-01-11/figure.png")
    assert answer.headers["content-type"] == "image/png"
    assert viewer.get("documents/view/reports/retraining/day=2026-01-11/figure.png").status_code == 404
    assert browse("stranger").get("documents/raw/reports/retraining/day=2026-01-11/figure.png").status_code == 403
