"""The drift page reads offline, escapes what is foreign, and is linked where people look."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include.pages import drift_report
from include.pages.drift_report import (
    FIGURES,
    DriftPage,
    read_drift_result,
    remove_drift_report,
    write_drift_report,
)
from include.pages.validation_report import OVERVIEW
from include.storage.batch import Batch
from include.storage.lake import Lake

DAY = date(2026, 1, 5)


def figure(
    value: float, bound: float, verdict: str, batch: float | None = None, training: float | None = None
) -> dict[str, Any]:
    return {"value": value, "bound": bound, "verdict": verdict, "batch": batch, "training": training}


PAGE = DriftPage(
    source="openfoodfacts",
    day=DAY,
    model_version="3",
    products=1_234,
    compared_with="the 812 training products of openfoodfacts",
    figures={
        "label_mix": figure(0.71, 0.55, "beyond"),
        "confidence": figure(-0.03, 0.2, "within", 0.92, 0.89),
        "text_embedding": figure(0.31, 0.45, "within"),
        "photo_embedding": figure(0.12, 0.45, "too few"),
        "missing_photos": figure(0.45, 0.3, "beyond", 0.61, 0.16),
        "reviewed": figure(-0.02, 0.4, "within", 0.2, 0.22),
    },
    warnings=[
        "openfoodfacts: the mix of labels is another (distance 0.71, bound 0.55): watches is 40 % here, "
        "0 % in training. Compared with the 812 training products of openfoodfacts.",
        "openfoodfacts: 61 % of the products lack a photo, in training 16 % (rise 0.45, bound 0.3). Compared with the "
        "812 training products of openfoodfacts.",
    ],
    label_shares=[
        {"label": "champagne", "batch": 0.52, "training": 0.61},
        {"label": "watches", "batch": 0.4, "training": 0.0},
        {"label": "vinegar_or_dressing", "batch": 0.08, "training": 0.22},
        {"label": "cheese", "batch": 0.0, "training": 0.17},
    ],
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


def test_the_page_shows_every_figure_with_its_bound_and_verdict(lake: Lake) -> None:
    html = lake.read_bytes(write_drift_report(lake, PAGE)).decode()
    for title, _meaning in FIGURES.values():
        assert title in html
    for shown in ("! 2 warnings", "0.71", "0.55", "61 %", "0.92", "1,234 products", "model version 3", "– too few"):
        assert shown in html
    assert html.count("! beyond") == 2


def test_it_needs_no_network_and_runs_no_script(lake: Lake) -> None:
    html = lake.read_bytes(write_drift_report(lake, PAGE)).decode()
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_names_from_outside_are_text(lake: Lake) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202e"
    page = replace(PAGE, warnings=[hostile], label_shares=[{"label": hostile, "batch": 1.0, "training": 0.0}])
    html = lake.read_bytes(write_drift_report(lake, page)).decode()
    assert "<img" not in html
    assert "[U+202E]" in html


@pytest.mark.parametrize(
    ("verdict", "shown"), [("within", "✓ like training"), ("beyond", "! warning"), ("too few", "– too few")]
)
def test_the_overview_links_to_it_with_its_verdict(lake: Lake, verdict: str, shown: str) -> None:
    warnings = PAGE.warnings if verdict == "beyond" else []
    write_drift_report(lake, replace(PAGE, figures={"label_mix": figure(0.3, 0.5, verdict)}, warnings=warnings))
    overview = lake.read_bytes(OVERVIEW).decode()
    assert 'href="source=openfoodfacts/day=2026-01-05/drift/index.html"' in overview
    assert shown in overview


def test_the_same_batch_gives_the_same_bytes_and_its_figures_come_back(lake: Lake) -> None:
    folder = write_drift_report(lake, PAGE).removesuffix("/index.html")
    before = {path: lake.read_bytes(path) for path in lake.list_files("reports")}
    write_drift_report(lake, PAGE)
    assert {path: lake.read_bytes(path) for path in lake.list_files("reports")} == before
    found = read_drift_result(lake, Batch("openfoodfacts", DAY))
    assert found == json.loads(lake.read_bytes(f"{folder}/result.json"))
    assert (found["figures"], found["warnings"]) == (PAGE.figures, PAGE.warnings)


def test_a_removed_page_leaves_the_overview_too(lake: Lake) -> None:
    write_drift_report(lake, PAGE)
    for _ in range(2):
        remove_drift_report(lake, Batch("openfoodfacts", DAY))
        assert read_drift_result(lake, Batch("openfoodfacts", DAY)) is None
        assert "drift/index.html" not in lake.read_bytes(OVERVIEW).decode()


def test_a_removal_that_was_killed_is_ended_by_the_next(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    write_drift_report(lake, PAGE)

    def killed(_lake: Lake) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(drift_report, "write_overview", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_drift_report(lake, Batch("openfoodfacts", DAY))
    assert read_drift_result(lake, Batch("openfoodfacts", DAY)) is None
    remove_drift_report(lake, Batch("openfoodfacts", DAY))
    assert lake.list_files("reports") == [OVERVIEW]
    assert "drift/index.html" not in lake.read_bytes(OVERVIEW).decode()
