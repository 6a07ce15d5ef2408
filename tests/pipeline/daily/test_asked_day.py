"""A day that cannot be run is refused, with the days that can."""

from __future__ import annotations

from datetime import date

import pytest

from include.errors import DayRefused
from include.pipeline.daily.asked_day import refuse_one_day_for_many, require_possible_day
from include.settings import Settings

TODAY = date(2026, 6, 30)
BOUNDED = Settings(first_day=date(2026, 1, 5), last_day=date(2026, 5, 31))


@pytest.mark.parametrize(
    ("day", "message"),
    [
        (date(2026, 7, 1), "has not begun yet: today is 2026-06-30"),
        (date(2026, 1, 4), "before the first day, 2026-01-05.*CUVEE_FIRST_DAY"),
        (date(2026, 6, 1), "after the last day, 2026-05-31.*CUVEE_LAST_DAY"),
    ],
)
def test_a_day_without_data_is_refused_and_told_why(day: date, message: str) -> None:
    with pytest.raises(DayRefused, match=message):
        require_possible_day(day, BOUNDED, today=TODAY)


@pytest.mark.parametrize("day", [date(2026, 1, 5), date(2026, 5, 31)])
def test_the_first_and_the_last_day_can_be_run(day: date) -> None:
    require_possible_day(day, BOUNDED, today=TODAY)


def test_today_can_be_run_where_days_go_on() -> None:
    require_possible_day(TODAY, BOUNDED.model_copy(update={"last_day": None}), today=TODAY)


def test_a_backfill_of_many_days_is_not_run_for_one_day() -> None:
    with pytest.raises(DayRefused, match="Leave `day` empty"):
        refuse_one_day_for_many("2026-01-05", is_backfill=True)
    refuse_one_day_for_many("2026-01-05", is_backfill=False)
    refuse_one_day_for_many(None, is_backfill=True)
