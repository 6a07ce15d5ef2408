"""Decisions are written once, are never changed, and the newest one that promoted names the champion."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from include.warehouse.promotions import (
    PromotionRecord,
    champions_so_far,
    decided_champion,
    decision_on,
    record_decision,
)

FIRST = PromotionRecord(
    candidate_version="1", champion_version=None, promoted=True, reason="the first", decided_by="gate",
    day=date(2026, 1, 11), snapshot="s" * 64, training_key="k1", report="reports/x", metrics={"difference": 0.1},
)  # fmt: skip
REFUSED = replace(FIRST, candidate_version="2", champion_version="1", promoted=False, training_key="k2")


def test_a_decision_taken_again_is_found_and_not_added(warehouse: Engine) -> None:
    first = record_decision(warehouse, FIRST, once=True)
    record_decision(warehouse, REFUSED, once=True)
    again = record_decision(warehouse, replace(FIRST, reason="said otherwise now"), once=True)
    assert again == first
    with warehouse.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM promotions")) == 2
        [metrics] = connection.execute(text("SELECT metrics FROM promotions WHERE promoted")).scalars()
    assert metrics == {"difference": 0.1}


def test_a_person_may_take_the_same_decision_again_later(warehouse: Engine) -> None:
    by_hand = replace(FIRST, candidate_version="2", champion_version="1", decided_by="Ana")
    numbers = {record_decision(warehouse, by_hand, once=False).promotion_id for _ in range(2)}
    assert len(numbers) == 2


def test_a_refusal_leaves_the_champion(warehouse: Engine) -> None:
    assert decided_champion(warehouse) is None
    record_decision(warehouse, FIRST, once=True)
    record_decision(warehouse, REFUSED, once=True)
    champion = decided_champion(warehouse)
    assert champion is not None
    assert champion.candidate_version == "1"
    assert [decision.candidate_version for decision in champions_so_far(warehouse)] == ["1"]


def test_decisions_are_found_by_what_was_trained_and_compared(warehouse: Engine) -> None:
    record_decision(warehouse, FIRST, once=True)
    record_decision(warehouse, REFUSED, once=True)
    found = decision_on(warehouse, "k2")
    assert found is not None
    assert (found.candidate_version, found.promoted) == ("2", False)
    assert decision_on(warehouse, "k2", "2", "1") == found
    assert decision_on(warehouse, "k2", "2", None) is None
    assert decision_on(warehouse, "k1", "1", None) is not None
    assert decision_on(warehouse, "k3") is None


def test_what_was_decided_cannot_be_changed(warehouse: Engine) -> None:
    record_decision(warehouse, FIRST, once=True)
    for statement in ("UPDATE promotions SET promoted = false", "DELETE FROM promotions", "TRUNCATE promotions"):
        with pytest.raises(DBAPIError, match="append-only"), warehouse.begin() as connection:
            connection.execute(text(statement))
