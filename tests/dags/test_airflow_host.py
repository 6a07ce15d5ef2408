"""What the pages learn from Airflow's own tables: the newest run of each day, also of days long ago."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import PROJECT_ROOT

FIRST = date(2020, 1, 1)
DAG = "champagne_daily"


@pytest.fixture(scope="module")
def airflow_host(airflow_home: Path) -> Any:
    """The module of the plugins folder, on an empty table of runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PROJECT_ROOT / "plugins")
        import airflow_host as module
    from airflow import settings
    from airflow.models import import_all_models
    from airflow.models.base import Base

    import_all_models()
    Base.metadata.create_all(settings.get_engine())
    return module


@pytest.fixture
def runs(airflow_host: Any) -> Any:
    """A function that adds a run; the table is empty again afterwards."""
    import sqlalchemy as sa
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType

    def add(*rows: dict[str, Any]) -> None:
        with create_session() as session:
            session.execute(sa.insert(DagRun.__table__), [
                {
                    "dag_id": DAG, "run_type": DagRunType(row.get("kind", "scheduled")), "run_id": row["run_id"],
                    "state": row.get("state", "success"), "conf": row.get("conf"),
                    "data_interval_start": row.get("interval"), "run_after": row["after"],
                    "start_date": row.get("started"), "clear_number": 0, "span_status": "ended",
                }
                for row in rows
            ])  # fmt: skip

    yield add
    with create_session() as session:
        session.execute(sa.delete(DagRun))


def midnight(number: int) -> datetime:
    """Midnight of a day by its number, from 0 on."""
    return datetime.combine(FIRST + timedelta(number), time(), UTC)


def scheduled(number: int, **more: Any) -> dict[str, Any]:
    """A scheduled run of a day."""
    after = midnight(number + 1)
    return {"run_id": f"scheduled__{number}", "interval": midnight(number), "after": after, "started": after, **more}


def found(airflow_host: Any, first: int, last: int) -> dict[int, str]:
    """Number of a day → id of its run."""
    runs = airflow_host.AirflowHost().runs(DAG, FIRST + timedelta(first), FIRST + timedelta(last))
    return {(run.day - FIRST).days: run.run_id for run in runs}


def test_days_long_ago_have_their_runs_however_many_came_after(airflow_host: Any, runs: Any) -> None:
    runs(*(scheduled(number) for number in range(airflow_host.RUNS + 100)))
    assert found(airflow_host, 3, 5) == {number: f"scheduled__{number}" for number in (3, 4, 5)}


def test_the_newest_run_of_a_day_counts_also_one_that_names_the_day_itself(airflow_host: Any, runs: Any) -> None:
    again = {"run_id": "backfill__4", "kind": "backfill", "started": midnight(30)}
    by_hand = {
        "run_id": "manual__5", "kind": "manual", "conf": {"day": str(FIRST + timedelta(5))}, "interval": midnight(40),
        "after": midnight(41), "started": midnight(41), "state": "failed",
    }  # fmt: skip
    runs(*(scheduled(number) for number in range(10)), scheduled(4, **again), by_hand)
    assert found(airflow_host, 3, 6) == {3: "scheduled__3", 4: "backfill__4", 5: "manual__5", 6: "scheduled__6"}
    assert found(airflow_host, 40, 40) == {}


def test_a_run_without_an_interval_is_of_the_day_it_was_asked_for(airflow_host: Any, runs: Any) -> None:
    runs({"run_id": "manual__x", "kind": "manual", "after": midnight(7) + timedelta(hours=3)})
    assert found(airflow_host, 0, 20) == {7: "manual__x"}


def test_a_day_that_is_no_date_is_not_believed(airflow_host: Any, runs: Any) -> None:
    runs({"run_id": "manual__x", "kind": "manual", "conf": {"day": "<script>"}, "after": midnight(7)})
    assert found(airflow_host, 0, 20) == {7: "manual__x"}


def test_approvals_of_other_peoples_dags_are_not_shown(airflow_host: Any, runs: Any) -> None:
    import sqlalchemy as sa
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    runs(scheduled(1), scheduled(2))
    with create_session() as session:
        session.execute(sa.update(DagRun).where(DagRun.run_id == "scheduled__1").values(dag_id="retrain_weekly"))
        session.execute(sa.update(DagRun).where(DagRun.run_id == "scheduled__2").values(dag_id="payroll"))
        waiting = [
            {"dag_id": dag_id, "run_id": run_id, "task_id": "approve", "map_index": -1, "state": "awaiting_input",
             "id": uuid4(), "pool": "default_pool", "pool_slots": 1, "try_number": 1, "max_tries": 0}
            for dag_id, run_id in (("retrain_weekly", "scheduled__1"), ("payroll", "scheduled__2"))
        ]  # fmt: skip
        session.execute(sa.insert(TaskInstance.__table__), waiting)
    try:
        assert [run.dag_id for run in airflow_host.AirflowHost().approvals()] == ["retrain_weekly"]
    finally:
        with create_session() as session:
            session.execute(sa.delete(TaskInstance))
