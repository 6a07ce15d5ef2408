"""What the order of days takes from Airflow: whether a day can be run, and what becomes of the day before."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowRescheduleException

from include.settings import load_settings
from task_context import current_day, midnight

if TYPE_CHECKING:
    from include.pipeline.daily.day_before import DayBefore
    from include.storage.batch import Batch

SHORT = timedelta(seconds=1)
"""A pause that is not worth a process of its own."""


def possible_day() -> date:
    """The day of the run that the calling task belongs to; DayRefused if it cannot be run."""
    from include.pipeline.daily.asked_day import refuse_one_day_for_many, require_possible_day

    context = get_current_context()
    is_backfill = context["dag_run"].run_type == "backfill"
    refuse_one_day_for_many(context["params"].get("day"), is_backfill=is_backfill)
    day = current_day()
    require_possible_day(day, load_settings(), today=datetime.now(UTC).date())
    return day


def wait_for_day_before(batch: Batch) -> None:
    """Return when a batch may be validated; while it may not, end the task for a while, so that it holds no slot."""
    from include.pipeline.daily.day_before import pause_for_day_before

    context: Any = get_current_context()
    begun = context["ti"].get_first_reschedule_date(context) or datetime.now(UTC)
    while pause := pause_for_day_before(batch, _day_before(batch, context["ti"]), datetime.now(UTC) - begun):
        if pause > SHORT:
            raise AirflowRescheduleException(datetime.now(UTC) + pause)
        time.sleep(pause.total_seconds())


def _day_before(batch: Batch, ti: Any) -> DayBefore:
    """Of the scheduled or backfilled run of the day before; one by hand with the param `day` has no such date."""
    from include.pipeline.daily.day_before import DayBefore

    dates = [midnight(batch.day - timedelta(days=1))]
    if not ti.get_dr_count(ti.dag_id, logical_dates=dates, states=["running"]):
        return DayBefore(is_running=False, state=None)
    found = ti.get_task_states(ti.dag_id, task_ids=[ti.task_id], logical_dates=dates)
    states = [state for tasks in found.values() for state in tasks.values()]
    return DayBefore(is_running=bool(states), state=next(iter(states), None))
