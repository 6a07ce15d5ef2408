"""Runs are named after the day that they are about, whoever makes them, and only between the first and the last day."""

from __future__ import annotations

import sys
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import DAGS_FOLDER, PLUGINS_FOLDER

FIRST, LAST = date(2026, 1, 5), date(2026, 1, 18)


@pytest.fixture
def named_runs(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(PLUGINS_FOLDER), *sys.path])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import named_runs
    return named_runs


def moment(day: int, hour: int = 0) -> Any:
    from airflow.sdk.timezone import coerce_datetime

    return coerce_datetime(datetime(2026, 1, day, hour, tzinfo=UTC))


def infos(timetable: Any, first: int, last: int, *, catchup: bool) -> list[Any]:
    """The runs between two days of January, as the scheduler or a backfill asks for them."""
    from airflow.timetables.base import TimeRestriction

    found: list[Any] = []
    while True:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=found[-1].data_interval if found else None,
            restriction=TimeRestriction(moment(first), moment(last), catchup=catchup),
        )
        if info is None:
            return found
        found.append(info)


def test_a_backfilled_run_has_the_noon_of_its_day_and_only_days_between_the_bounds(named_runs: Any) -> None:
    daily = named_runs.NamedRunsTimetable("@daily", first_day=FIRST, last_day=LAST)
    found = infos(daily, 3, 7, catchup=True)
    assert [info.run_after for info in found] == [moment(day, 12) for day in (5, 6, 7)]
    assert [info.data_interval.start for info in found] == [moment(day) for day in (5, 6, 7)]
    assert infos(daily, 1, 4, catchup=True) == []
    assert infos(daily, 19, 25, catchup=True) == []


def test_a_backfilled_week_has_the_noon_of_its_last_day(named_runs: Any) -> None:
    weekly = named_runs.NamedRunsTimetable("@weekly", first_day=FIRST)
    (info,) = infos(weekly, 5, 17, catchup=True)
    assert info.data_interval.start == moment(11)
    assert info.run_after == moment(17, 12)


@pytest.mark.parametrize(("cron", "days", "name"), [("@daily", 1, "2026-01-05"), ("@weekly", 7, "2026-01-11")])
def test_a_scheduled_run_is_named_after_the_last_day_of_its_interval(
    named_runs: Any, cron: str, days: int, name: str
) -> None:
    from airflow.timetables.base import DataInterval
    from airflow.utils.types import DagRunType

    timetable = named_runs.NamedRunsTimetable(cron)
    interval = DataInterval(moment(5), moment(5) + timedelta(days=days))
    run_id = timetable.generate_run_id(run_type=DagRunType.SCHEDULED, run_after=interval.end, data_interval=interval)
    assert run_id == f"scheduled__{name}"
    by_hand = timetable.generate_run_id(run_type=DagRunType.MANUAL, run_after=moment(9, 8), data_interval=interval)
    assert by_hand == "manual__2026-01-09T08:00:00+00:00", "it may be about another day: its param `day`"


def test_a_scheduled_run_begins_when_its_day_is_over_and_none_comes_after_the_last_day(named_runs: Any) -> None:
    now = datetime.now(UTC).date()
    yesterday = now - timedelta(days=1)
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(None, None, catchup=False)
    for last_day, expected in ((None, now), (yesterday, now), (yesterday - timedelta(days=1), None)):
        timetable = named_runs.NamedRunsTimetable("@daily", last_day=last_day)
        info = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
        assert (info and info.run_after.date()) == expected


def test_a_logical_date_chosen_by_hand_means_its_own_day_if_that_is_over(named_runs: Any) -> None:
    timetable = named_runs.NamedRunsTimetable("@daily")
    assert timetable.infer_manual_data_interval(run_after=moment(5, 15)).start == moment(5)
    assert timetable.infer_manual_data_interval(run_after=moment(5)).start == moment(5)
    from airflow.sdk.timezone import utcnow

    today = timetable.infer_manual_data_interval(run_after=utcnow())
    assert today.start.date() == utcnow().date() - timedelta(days=1)


def test_the_scheduler_s_copy_has_the_same_runs(named_runs: Any) -> None:
    for bounds in ({}, {"first_day": FIRST, "last_day": LAST}):
        timetable = named_runs.NamedRunsTimetable("@daily", **bounds)
        copy = named_runs.NamedRunsTimetable.deserialize(timetable.serialize())
        assert infos(copy, 3, 7, catchup=True) == infos(timetable, 3, 7, catchup=True)


def test_an_airflow_without_the_plugin_is_told_where_it_is(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.errors import ConfigurationError

    monkeypatch.setattr(sys, "path", [str(DAGS_FOLDER), *sys.path])
    import schedules

    monkeypatch.setitem(sys.modules, "named_runs", None)
    with pytest.raises(ConfigurationError, match="AIRFLOW__CORE__PLUGINS_FOLDER"):
        schedules.runs_named_after_days("@daily")
