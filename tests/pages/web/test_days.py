"""Each day of each source has the state that its batch and its run say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from include.pages.web.days import DAYS, Day, DayState, Window, failed_runs, judged_days, last_window
from include.pages.web.host import Run
from include.settings import Settings
from include.warehouse.batch_history import StoredBatch
from tests.pages.web.batch_rows import NOW, REASON, TODAY, YESTERDAY, day, run_of

WINDOW = Window(day(10), YESTERDAY)
HOUR = timedelta(hours=1)


def batch(ago: int, source: str = "edamam", status: str = "published", **more: object) -> StoredBatch:
    """A stored batch."""
    facts: dict = {"received": 5, "unchanged": 0, "updated_at": NOW - 2 * HOUR, **more}
    return StoredBatch(source, day(ago), "daily", status, **facts)


def state(stored: StoredBatch | None, run: Run | None, ago: int = 1) -> Day:
    """A day as it is judged, of a source that is known since long ago."""
    batches, runs = [stored] if stored else [], [run] if run else []
    return judged_days(WINDOW, {"edamam": day(50)}, batches, runs, date(2026, 1, 1))["edamam"][-ago]


@pytest.mark.parametrize(
    ("stored", "run", "expected"),
    [
        (batch(1), None, DayState.PUBLISHED),
        (batch(1), run_of(1, "running"), DayState.PUBLISHED),
        (batch(1, received=0), None, DayState.EMPTY),
        (batch(1, received=3, unchanged=3), None, DayState.EMPTY),
        (batch(1, warnings=["drifted"]), None, DayState.WARNED),
        (batch(1, status="failed", error="down", failed_step="fetch"), run_of(1, "failed"), DayState.FAILED),
        (batch(1, status="failed", error=REASON, failed_step="validate"), run_of(1, "failed"), DayState.REFUSED),
        (None, None, DayState.NEVER),
        (None, run_of(1), DayState.NEVER),
        (None, run_of(1, "failed"), DayState.FAILED),
        (None, run_of(1, "queued"), DayState.RUNNING),
        (None, run_of(1, "running"), DayState.RUNNING),
    ],
)
def test_batch_and_run_say_what_became_of_a_day(
    stored: StoredBatch | None, run: Run | None, expected: DayState
) -> None:
    assert state(stored, run).state == expected


def test_a_failed_batch_is_running_again_only_if_it_failed_before_the_run_began() -> None:
    began_before = run_of(1, "running")
    earlier = batch(1, status="failed", updated_at=NOW - 2 * HOUR)
    assert state(earlier, began_before).state == DayState.RUNNING
    assert state(batch(1, status="failed", updated_at=NOW), began_before).state == DayState.FAILED


def test_a_state_says_its_step_and_a_run_without_a_batch_is_named_as_such() -> None:
    assert state(batch(1, status="failed", failed_step="fetch"), None).what == "failed at fetch"
    assert state(None, run_of(1)).what == "no batch"
    assert state(None, None).what == "never run"


def test_nothing_is_due_before_a_sources_first_day_and_a_new_source_is_due_from_the_first_day_of_any() -> None:
    days = judged_days(WINDOW, {"edamam": day(3), "new": None}, [batch(3)], [run_of(5)], date(2026, 1, 1))
    assert [one.state for one in days["edamam"]][-4:-1] == [DayState.BEFORE, DayState.PUBLISHED, DayState.NEVER]
    assert [one.state for one in days["new"]][-6:-3] == [DayState.BEFORE, DayState.NEVER, DayState.NEVER]


def test_nothing_is_due_before_the_first_day_of_the_settings_or_without_any_day() -> None:
    limited = judged_days(WINDOW, {"edamam": day(50)}, [], [], day(2))["edamam"]
    assert [one.state for one in limited][-3:] == [DayState.BEFORE, DayState.NEVER, DayState.NEVER]
    fresh = judged_days(WINDOW, {"edamam": None}, [], [], date(2026, 1, 1))["edamam"]
    assert {one.state for one in fresh} == {DayState.BEFORE}


@pytest.mark.parametrize(("last_day", "expected"), [(None, YESTERDAY), (TODAY, YESTERDAY), (day(9), day(9))])
def test_the_window_ends_yesterday_or_on_the_last_day(last_day: date | None, expected: date) -> None:
    window = last_window(Settings(last_day=last_day), TODAY)
    assert window.last == expected
    assert len(window.days()) == DAYS


def test_a_run_that_failed_alone_counts_until_a_batch_is_published_after_it() -> None:
    first_days = {"edamam": day(50), "openfoodfacts": day(50)}
    run = run_of(1, "failed", ended=NOW - HOUR)
    early, late = NOW - 2 * HOUR, NOW

    def alone(edamam: dict, openfoodfacts: dict) -> bool:
        stored = [batch(1, "edamam", **edamam), batch(1, "openfoodfacts", **openfoodfacts)]
        return failed_runs(judged_days(WINDOW, first_days, stored, [run], date(2026, 1, 1)), [run]) == [run]

    assert alone({"updated_at": early}, {"updated_at": early})
    assert not alone({"updated_at": late}, {"updated_at": early})
    assert not alone({"updated_at": early, "status": "failed"}, {"updated_at": early})
    only_one = judged_days(WINDOW, first_days, [batch(1)], [run], date(2026, 1, 1))
    assert failed_runs(only_one, [run]) == []
