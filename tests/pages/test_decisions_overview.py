"""The list of decisions has every row of `promotions`, and leads to the pages that are there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Engine

from include.pages.decision_figures import DayScores, timeline_figure
from include.pages.decision_page import write_decision_page
from include.pages.decisions_overview import write_decisions_overview
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.promotions import PromotionRecord, all_decisions, record_decision
from tests.pages.judgements import EVIL, decide, draw_first, draw_promotion, draw_refusal, leave
from tests.pages.outline import Outline


def overview(settings: Settings) -> str:
    path = write_decisions_overview(settings)
    assert path == "reports/retraining/index.html"
    return Lake(settings.lake_root).read_bytes(path).decode()


def test_before_the_first_decision_the_list_says_so(warehouse_settings: Settings, warehouse: Engine) -> None:
    assert all_decisions(warehouse) == []
    page = overview(warehouse_settings)
    assert "Nothing has been decided yet" in page
    assert "<svg" not in page


def test_promotions_refusals_rejections_and_rollbacks_stand_newest_first_under_the_champion(
    warehouse_settings: Settings, warehouse: Engine
) -> None:
    decide(warehouse, draw_first())
    decide(warehouse, draw_promotion())
    decide(warehouse, draw_refusal())
    decide(warehouse, draw_promotion("2026-02-01"), promoted=False, decided_by="Ana", reason="rejected by Ana; all")
    back = PromotionRecord("2", "4", True, "it takes vinegar for champagne", "Ben", kind="rollback")
    record_decision(warehouse, back, once=False)
    page = overview(warehouse_settings)
    outline = Outline(page)
    assert outline.open == []
    text = re.sub(r"\s+", " ", outline.text)
    assert "Version 2 labels the products." in text
    assert "decided by Ben, in place of version 4: it takes vinegar for champagne" in text
    table = text[text.index("All decisions") :]
    marks = ["↩ rolled back", "✗ rejected", "– refused", "✓ promoted", "✓ promoted"]
    assert re.findall("|".join(dict.fromkeys(marks)), table) == marks
    assert "2 promoted, 1 refused, 1 rejected, 1 rolled back." in text
    assert "+0.031" in table
    assert page.count("<svg") == 1


def test_each_decision_leads_to_its_page_where_there_is_one(warehouse_settings: Settings, warehouse: Engine) -> None:
    lake = Lake(warehouse_settings.lake_root)
    for judgement in (draw_first(), draw_promotion()):
        path = leave(lake, judgement)
        decide(warehouse, judgement)
        write_decision_page(path, warehouse_settings)
    decide(warehouse, draw_refusal())  # its page was never written
    links = {link for link in Outline(overview(warehouse_settings)).references if not link.startswith("#")}
    assert links == {
        "day=2026-01-11/training=111111111111/index.html",
        "day=2026-01-18/training=2026-01-18-2/index.html",
    }
    assert all(lake.exists(f"reports/retraining/{link}") for link in links)


def test_an_address_from_elsewhere_in_a_row_is_no_link(warehouse_settings: Settings, warehouse: Engine) -> None:
    decide(warehouse, draw_promotion(), report="javascript:alert(1)")
    assert Outline(overview(warehouse_settings)).references == []


def test_one_decision_with_figures_has_no_timeline(warehouse_settings: Settings, warehouse: Engine) -> None:
    decide(warehouse, draw_first())
    decide(warehouse, draw_promotion(), metrics={})
    assert "<svg" not in overview(warehouse_settings)


def test_the_same_rows_give_the_same_bytes_and_long_reasons_of_strangers_do_nothing(
    warehouse_settings: Settings, warehouse: Engine
) -> None:
    decide(warehouse, draw_refusal(), reason=EVIL * 9, decided_by=EVIL)
    page = overview(warehouse_settings)
    assert page == overview(warehouse_settings)
    outline = Outline(page)
    assert outline.open == []
    assert not {"script", "a"} & set(outline.tags)
    assert "\u202e" not in page


def test_every_row_comes_with_its_day_report_and_figures(warehouse: Engine) -> None:
    decide(warehouse, draw_first())
    decide(warehouse, draw_promotion())
    newest, oldest = all_decisions(warehouse)
    assert (newest.candidate_version, oldest.candidate_version) == ("4", "2")
    assert newest.day is not None and newest.day.isoformat() == "2026-01-18"
    assert newest.report == "reports/retraining/day=2026-01-18/training=2026-01-18-2/index.html"
    assert newest.metrics["difference"] == 0.031


def test_a_timeline_of_many_days_keeps_its_days_apart() -> None:
    first = DayScores(date(2026, 1, 11), 0.9, None, True)
    many = [
        first,
        *(
            replace(first, day=date(2026, 1, 11) + timedelta(weeks=week), champion=0.89, promoted=week % 3 == 0)
            for week in range(1, 60)
        ),
    ]
    drawing = timeline_figure(many)
    assert drawing == timeline_figure(many[::-1])
    assert len(re.findall(r"<!-- \d{4}-\d\d-\d\d -->", drawing.svg)) == 8
