"""The page of a decision says who is champion and why, all of it, whatever strangers have written into it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from include.errors import ConfigurationError
from include.models.promotion.judgement import Judgement
from include.pages.decision_page import write_decision_page
from include.settings import Settings
from include.storage.lake import Lake
from tests.pages.judgements import (
    BROKEN,
    CLAUSES,
    EVIL,
    decide,
    draw_candidate,
    draw_first,
    draw_gold,
    draw_promotion,
    draw_refusal,
    leave,
    leave_snapshot,
)
from tests.pages.outline import Outline

Write = Callable[..., str]


@pytest.fixture
def stored_lake(warehouse_settings: Settings) -> Lake:
    return Lake(warehouse_settings.lake_root)


@pytest.fixture
def write(warehouse_settings: Settings, warehouse: Engine, stored_lake: Lake) -> Write:
    """Leaves a judgement, decides it unless told otherwise, and returns its page."""

    def written(judgement: Judgement, *, decided: bool = True, **changes: Any) -> str:
        path = leave(stored_lake, judgement)
        if decided:
            decide(warehouse, judgement, **changes)
        page = write_decision_page(path, warehouse_settings)
        assert page == path.replace("judgement.json", "index.html")
        return stored_lake.read_bytes(page).decode()

    return written


def text_of(page: str) -> str:
    outline = Outline(page)
    assert outline.open == []
    return re.sub(r"\s+", " ", outline.text)


def test_a_promotion_names_the_version_and_the_one_it_replaced(write: Write) -> None:
    text = text_of(write(draw_promotion()))
    assert "✓ promoted" in text
    assert "Version 4 became champion in place of version 2, because all 4 clauses of the gate hold." in text
    assert "Decided by the gate on 20" in text
    assert 'python -m include rollback --reason "what is wrong with version 4"' in text
    assert "To make version 2 champion again" in text


def test_a_refusal_says_that_the_champion_stays_and_every_reason(write: Write) -> None:
    text = text_of(write(draw_refusal()))
    assert "– refused" in text
    assert "Version 2 stays champion, because version 4 does not keep 2 of the 6 clauses of the gate." in text
    for clause in BROKEN:
        assert clause.sentence in text
    assert "Nothing has changed, so there is nothing to undo." in text


def test_a_first_model_is_shown_without_anything_to_compare_with(write: Write) -> None:
    page = write(draw_first())
    text = text_of(page)
    assert "Version 2 became the first champion, because all 4 clauses of the gate hold." in text
    assert "it had to reach the floors" in text
    assert "McNemar" not in text
    assert "rollback --to VERSION" in text
    assert page.count("<svg") == 4


def test_a_model_that_a_person_rejected_says_who_and_that_the_gate_had_passed_it(write: Write) -> None:
    reason = "rejected by Ana; all 4 clauses of the gate hold"
    text = text_of(write(draw_promotion(), promoted=False, decided_by="Ana", reason=reason))
    assert "✗ rejected" in text
    assert "Version 2 stays champion, because Ana rejected version 4, although all 4 clauses" in text
    assert reason in text


def test_a_model_that_a_person_approved_says_who(write: Write) -> None:
    text = text_of(write(draw_promotion(), decided_by="Ana", reason="approved by Ana; all 4 clauses of the gate hold"))
    assert "because all 4 clauses of the gate hold and Ana approved it." in text
    assert "approved by Ana; all 4" in text


def test_a_model_that_nobody_approved_in_time_is_no_failure_of_the_gate(write: Write) -> None:
    reason = "nobody answered in 72 hours, so the champion stays; all 4 clauses of the gate hold"
    text = text_of(write(draw_promotion(), promoted=False, decided_by="nobody", reason=reason))
    assert "Version 2 stays champion, because nobody approved version 4 in time" in text
    assert reason in text


def test_a_judgement_that_waits_for_a_person_says_so(write: Write) -> None:
    text = text_of(write(draw_promotion(), decided=False))
    assert "○ not decided yet" in text
    assert "Version 4 may become champion in place of version 2: all 4 clauses of the gate hold." in text
    assert "promotions has no row for it yet." in text


def test_a_champion_that_is_its_own_best_candidate_stays(write: Write) -> None:
    reason = "the best candidate is the champion itself: nothing new was learnt"
    judgement = replace(draw_promotion(), champion="4", outcome="refuse", reason=reason)
    text = text_of(write(judgement))
    assert "Version 4 stays champion, because it is the best candidate itself: nothing new was learnt." in text
    assert reason in text


@pytest.mark.parametrize("judgement", [draw_promotion(), draw_refusal(), draw_first()], ids=lambda one: one.as_of)
def test_each_clause_of_every_judged_candidate_is_there_with_what_was_found_and_wanted(
    write: Write, judgement: Judgement
) -> None:
    text = text_of(write(judgement))
    for candidate in judgement.candidates:
        for clause in candidate.clauses:
            verdict = "✓ holds" if clause.holds else "✗ fails"
            assert re.search(
                rf"{verdict} ?{re.escape(clause.name)} ?{re.escape(clause.found)} ?{re.escape(clause.wanted)}", text
            ), clause


def test_a_decision_states_every_fact_it_rests_on(write: Write, stored_lake: Lake) -> None:
    facts = [
        "206 gold products",
        "Left out: contradictory 3.",
        "+0.031",
        "95 % interval +0.008 to +0.052",
        "12 to 3",
        "p = 0.035",
        "right when accepted",
        "99.1 % (98.5–99.7)",
        "home furnishing",
        "photo 5 0.806",  # name, version, out of fold
        "– not judged",
        "2 of 3",  # checks that hold
        "Chocolat aux amandes: chocolate -> biscuit",
        "– no case",
        "2 for training, 1 gold (25 % of new content goes to gold)",
        "no content 2",
        "2026-01-18 (the same labels as of 2026-01-11)",
        "25b05c2f4625",
        "0.1.0+abc",
        "human 1 0",
        "flipkart 2 1",
        "CC BY-SA 4.0",
    ]
    judgement = replace(draw_promotion(), snapshot=leave_snapshot(stored_lake))
    text = text_of(write(judgement)).replace(" ", "")
    assert [fact for fact in facts if fact.replace(" ", "") not in text] == []


def test_a_snapshot_that_is_gone_is_said_and_stops_nothing(write: Write) -> None:
    assert "cannot be read, so its counts are not shown" in text_of(write(draw_promotion()))


def test_the_page_needs_nothing_but_itself_and_leads_to_the_list_and_the_data(write: Write, stored_lake: Lake) -> None:
    page = write(replace(draw_promotion(), snapshot=leave_snapshot(stored_lake)))
    outline = Outline(page)
    assert not {"script", "link", "img", "iframe", "object"} & set(outline.tags)
    assert len(outline.ids) == len(set(outline.ids))
    assert {reference for reference in outline.references if not reference.startswith("#")} == {
        "../../index.html",
        "judgement.json",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    }
    assert not re.search(r"url\((?!#)|@import| on\w+=", page)
    assert page.count("<svg") == 4


def test_the_same_judgement_and_row_give_the_same_bytes(write: Write, warehouse_settings: Settings) -> None:
    page = write(draw_promotion())
    path = "reports/retraining/day=2026-01-18/training=2026-01-18-2/judgement.json"
    again = write_decision_page(path, warehouse_settings)
    assert Lake(warehouse_settings.lake_root).read_bytes(again).decode() == page


def test_names_of_strangers_do_nothing(write: Write) -> None:
    labels = ("champagne", EVIL, "x" * 300, *draw_gold("", 0.9).label_names[3:])
    plain = draw_candidate(EVIL, "4")
    gold = replace(
        plain.gold,
        label_names=labels,
        classes=tuple(replace(row, label=label) for row, label in zip(plain.gold.classes, labels, strict=True)),
    )
    checks = tuple(replace(check, failures=(EVIL,)) for check in plain.examination.behaviour)
    judged = replace(
        plain,
        gold=gold,
        examination=replace(plain.examination, behaviour=checks),
        clauses=(*CLAUSES, replace(BROKEN[0], name=EVIL, found=EVIL, wanted=EVIL)),
    )
    judgement = replace(draw_refusal(), candidates=(judged,), champion_gold=gold, reason=EVIL, gold_left_out={EVIL: 1})
    page = write(judgement, reason=EVIL, decided_by=EVIL)
    outline = Outline(page)
    assert outline.open == []
    assert "script" not in outline.tags
    assert not [reference for reference in outline.references if "evil" in reference]
    assert "\u202e" not in page
    assert "[U+202E]" in outline.text
    assert "{{ 7*7 }}" in outline.text


def test_a_file_that_is_no_judgement_is_refused(warehouse_settings: Settings, stored_lake: Lake) -> None:
    stored_lake.write_bytes("reports/retraining/day=x/training=y/judgement.json", b"{}")
    with pytest.raises(ConfigurationError, match="no judgement of this version"):
        write_decision_page("reports/retraining/day=x/training=y/judgement.json", warehouse_settings)
