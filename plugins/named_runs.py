"""A timetable of intervals whose runs are named after their day: `scheduled__2026-01-05`.

Airflow names a run after the moment from which it may start, which is the day after the one that it is about.
A run that is triggered by hand has no interval, and is named after the moment of the trigger.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.timezone import coerce_datetime, utcnow
from airflow.timetables.base import DagRunInfo, DataInterval
from airflow.timetables.interval import CronDataIntervalTimetable

if TYPE_CHECKING:
    from airflow.timetables.base import TimeRestriction
    from airflow.utils.types import DagRunType
    from pendulum import DateTime


class NamedRunsTimetable(CronDataIntervalTimetable):
    """Intervals of whole days in UTC, between two days; the last day of an interval names its run.

    A backfilled run is Airflow's own to name, after the moment from which it may start. That is noon of the day which
    it is about: so the name and the date in the grid are right wherever in the world they are read.
    """

    def __init__(self, cron: str, *, first_day: date | None = None, last_day: date | None = None) -> None:
        """Describe runs at the end of each interval of `cron`; those that begin before or after the days have none."""
        super().__init__(cron, timezone="UTC")
        self._first_day, self._last_day = first_day, last_day

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The run after the one before, as Airflow's scheduler and its backfills ask for it."""
        earliest = [moment for moment in (_midnight(self._first_day), restriction.earliest) if moment]
        latest = [moment for moment in (_midnight(self._last_day), restriction.latest) if moment]
        within = restriction._replace(earliest=max(earliest, default=None), latest=min(latest, default=None))
        info = super().next_dagrun_info(last_automated_data_interval=last_automated_data_interval, restriction=within)
        # Only a backfill catches up: no DAG of ours does.
        if info is None or info.data_interval is None or not restriction.catchup:
            return info
        return DagRunInfo(run_after=info.data_interval.end - timedelta(hours=12), data_interval=info.data_interval)

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The interval that a logical date chosen by hand lies in, or the one before if that is not over yet."""
        start = self._align_to_prev(run_after)
        end = self._get_next(start)
        return DataInterval(start=start, end=end) if end <= utcnow() else DataInterval(self._get_prev(start), start)

    def generate_run_id(
        self, *, run_type: DagRunType, run_after: DateTime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """The name of a run: `scheduled__2026-01-05`; `manual__2026-01-06T08:30:00+00:00` by hand."""
        if run_type.value != "scheduled" or data_interval is None:
            return super().generate_run_id(run_type=run_type, run_after=run_after, data_interval=data_interval, **extra)
        day = (data_interval.end - timedelta(days=1)).date()
        return str(run_type.generate_run_id(suffix=day.isoformat()))

    def serialize(self) -> dict[str, Any]:
        """The arguments, for the scheduler's copy of the DAG."""
        days = {"first_day": self._first_day, "last_day": self._last_day}
        return {"cron": self._expression} | {name: day and day.isoformat() for name, day in days.items()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> NamedRunsTimetable:
        """The timetable of what `serialize` gave."""
        first, last = (data[name] and date.fromisoformat(data[name]) for name in ("first_day", "last_day"))
        return cls(data["cron"], first_day=first, last_day=last)


def _midnight(day: date | None) -> DateTime | None:
    return None if day is None else coerce_datetime(datetime.combine(day, time(), UTC))


class NamedRunsPlugin(AirflowPlugin):
    """Makes the timetable known to every part of Airflow."""

    name = "cuvee_named_runs"
    timetables = [NamedRunsTimetable]  # noqa: RUF012
