"""What a run asks Airflow about the day before it, and which days it refuses."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.errors import DayBeforeUnfinished, DayRefused
from include.settings import Settings
from include.storage.batch import Batch
from tests.dags.conftest import DAGS_FOLDER

BATCH = Batch("edamam", date(2026, 1, 6))
DAY_BEFORE = [datetime(2026, 1, 5, tzinfo=UTC)]


@dataclass
class TaskInstance:
    """Answers like Airflow's: whether a run of the asked date is running, and the state of its task."""

    running: bool = True
    states: list[str | None] = field(default_factory=lambda: ["success"])
    waited: timedelta | None = None
    dag_id: str = "champagne_daily"
    task_id: str = "edamam.validate"

    def get_first_reschedule_date(self, _context: object) -> datetime | None:
        return self.waited and datetime.now(UTC) - self.waited

    def get_dr_count(self, dag_id: str, logical_dates: list[datetime], states: list[str]) -> int:
        assert (dag_id, logical_dates, states) == (self.dag_id, DAY_BEFORE, ["running"])
        return int(self.running)

    def get_task_states(self, dag_id: str, task_ids: list[str], logical_dates: list[datetime]) -> dict[str, Any]:
        assert (dag_id, task_ids, logical_dates) == (self.dag_id, [self.task_id], DAY_BEFORE)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"backfill__2026-01-05T12:00:00+00:00": {self.task_id: state}}


@pytest.fixture
def day_order(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(DAGS_FOLDER), *sys.path])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import day_order
    return day_order


def wait(day_order: Any, monkeypatch: pytest.MonkeyPatch, ti: TaskInstance) -> None:
    monkeypatch.setattr(day_order, "get_current_context", lambda: {"ti": ti})
    day_order.wait_for_day_before(BATCH)


def test_a_day_begins_once_the_day_before_is_validated(day_order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(day_order.time, "sleep", pauses.append)
    ti = TaskInstance(states=["queued", "running", "success"])
    wait(day_order, monkeypatch, ti)
    assert ti.states == ["success"]
    assert len(pauses) == 2


def test_a_day_whose_day_before_is_not_running_begins_at_once(day_order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wait(day_order, monkeypatch, TaskInstance(running=False, states=[None]))


def test_waiting_for_long_ends_the_task_for_a_while_so_that_it_holds_no_slot(
    day_order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowRescheduleException

    waiting = TaskInstance(states=[None], waited=timedelta(minutes=3))
    with pytest.raises(AirflowRescheduleException) as raised:
        wait(day_order, monkeypatch, waiting)
    assert timedelta(seconds=50) < raised.value.reschedule_date - datetime.now(UTC) < timedelta(seconds=70)
    waiting.waited = timedelta(hours=7)
    with pytest.raises(DayBeforeUnfinished):
        wait(day_order, monkeypatch, waiting)


@pytest.mark.parametrize(
    ("run_type", "day", "expected"),
    [
        ("manual", "2026-01-05", date(2026, 1, 5)),
        ("manual", "2099-01-01", "has not begun yet"),
        ("backfill", "2026-01-05", "belongs to a backfill"),
        ("backfill", None, date(2026, 1, 7)),
    ],
)
def test_a_run_is_about_a_day_that_can_be_run(
    day_order: Any, monkeypatch: pytest.MonkeyPatch, run_type: str, day: str | None, expected: date | str
) -> None:
    context = {
        "dag_run": SimpleNamespace(run_type=run_type),
        "params": {"day": day},
        "data_interval_start": datetime(2026, 1, 7, tzinfo=UTC),
    }
    monkeypatch.setattr(day_order, "get_current_context", lambda: context)
    monkeypatch.setattr(sys.modules["task_context"], "get_current_context", lambda: context)
    monkeypatch.setattr(day_order, "load_settings", lambda: Settings(last_day=None))
    if isinstance(expected, date):
        assert day_order.possible_day() == expected
    else:
        with pytest.raises(DayRefused, match=expected):
            day_order.possible_day()
