"""A day waits for the day before while that goes on, for a bounded time, and for nothing else."""

from __future__ import annotations

import logging
from datetime import date, timedelta

import pytest

from include.errors import DayBeforeUnfinished
from include.pipeline.daily.day_before import DEADLINE, LONGEST_PAUSE, DayBefore, pause_for_day_before
from include.storage.batch import Batch

BATCH = Batch("edamam", date(2026, 1, 6))
NOW = timedelta(0)


@pytest.mark.parametrize("state", [None, "scheduled", "queued", "running", "up_for_retry", "up_for_reschedule"])
def test_a_day_before_that_goes_on_is_waited_for(state: str | None) -> None:
    assert pause_for_day_before(BATCH, DayBefore(is_running=True, state=state), NOW)


@pytest.mark.parametrize("state", ["success", "failed", "upstream_failed", "skipped", "removed"])
def test_a_day_before_whose_validation_has_ended_is_not_waited_for(state: str) -> None:
    assert pause_for_day_before(BATCH, DayBefore(is_running=True, state=state), DEADLINE) is None


def test_a_day_before_that_never_ran_or_is_queued_behind_this_one_is_not_waited_for() -> None:
    assert pause_for_day_before(BATCH, DayBefore(is_running=False, state=None), DEADLINE) is None


def test_a_failed_day_before_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        pause_for_day_before(BATCH, DayBefore(is_running=True, state="success"), NOW)
        assert caplog.text == ""
        pause_for_day_before(BATCH, DayBefore(is_running=True, state="upstream_failed"), NOW)
    assert "the validation of 2026-01-05 is upstream_failed" in caplog.text


def test_pauses_are_short_at_first_and_then_grow_so_that_waiting_costs_few_processes() -> None:
    waited, processes = NOW, 0
    while waited < DEADLINE:
        pause = pause_for_day_before(BATCH, DayBefore(is_running=True, state="running"), waited)
        assert pause is not None
        assert timedelta(0) < pause <= max(timedelta(seconds=0.5), min(waited / 3, LONGEST_PAUSE))
        processes += pause >= timedelta(seconds=1)
        waited += pause
    assert processes < 120


def test_waiting_ends_with_what_to_do() -> None:
    with pytest.raises(DayBeforeUnfinished, match=r"edamam 2026-01-06 has waited 6 hours for 2026-01-05.*mark its"):
        pause_for_day_before(BATCH, DayBefore(is_running=True, state=None), DEADLINE)
