"""Which days can be run: one that cannot is refused before anything is requested."""

from __future__ import annotations

from datetime import date

from include.errors import DayRefused
from include.settings import Settings


def require_possible_day(day: date, settings: Settings, *, today: date) -> None:
    """Raise DayRefused for a day that has not begun, or is not between the first and the last day of the settings."""
    if day > today:
        raise DayRefused(f"{day} has not begun yet: today is {today} (UTC). Choose a day that is over")
    if day < settings.first_day:
        raise DayRefused(
            f"{day} is before the first day, {settings.first_day}. Choose a later day, or set CUVEE_FIRST_DAY to an "
            "earlier one and restart Airflow"
        )
    if settings.last_day is not None and day > settings.last_day:
        raise DayRefused(
            f"{day} is after the last day, {settings.last_day}. Choose an earlier day, or set CUVEE_LAST_DAY to a "
            "later one, or to nothing, and restart Airflow"
        )


def refuse_one_day_for_many(day: str | None, *, is_backfill: bool) -> None:
    """Raise DayRefused for a backfill that was given the param `day`: each of its runs would be about that day."""
    if is_backfill and day:
        raise DayRefused(
            f"this run belongs to a backfill, and its param `day` asks for {day} in each run. Leave `day` empty: the "
            "dates of a backfill say which days are run. To run only one day, trigger the DAG with `day`"
        )
