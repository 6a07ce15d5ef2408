"""`airflow_overhead`: a day with nothing new, against a DAG of the same tasks that do nothing, in the same Airflow.

The other DAG is made from `champagne_daily` (see `idle_twin`); that Airflow sees the same tasks in both is checked
before anything is measured. What is compared is the time from queueing a run to its end, as Airflow recorded it. Pairs
are run until the median of their ratios is known to a tenth. Beside the ratio, which fewer or larger tasks would change
as well, stands what a task takes above one that does nothing, from its start to its end.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from include.local.airflow import LocalAirflow
from include.local.airflow_api import AirflowApi
from include.local.postgres import PostgresServer
from include.sandbox import delta
from include.sandbox.catalogue import DatedRecord, Record
from include.sandbox.server import SandboxServer
from include.settings import PROJECT_ROOT, Settings
from tests.benchmarks.measure import Figure, median_interval, summarise
from tests.fixtures.storage import free_port

DAILY, IDLE = "champagne_daily", "champagne_idle"
TWIN = Path(__file__).with_name("idle_twin.py")
LAST_DAY = date(2026, 6, 30)
LEAST_PAIRS, MOST_PAIRS = 9, 60
WIDTH = 0.1
"""Of the interval of the median ratio, as a share of it: narrower is good enough."""
RUN_SECONDS = 120.0


class NothingNew:
    """A catalogue whose every day has an empty delta file, and that lists no products."""

    first_day = last_day = LAST_DAY

    def records(self) -> Sequence[DatedRecord]:
        """No Open Food Facts records."""
        return ()

    def edamam_hints(self) -> Sequence[Record]:
        """No hints."""
        return ()

    def photo(self, path: str) -> bytes | None:
        """No photo."""
        return None


@dataclass(frozen=True)
class Measured:
    """One run: its seconds, those of its tasks together, and the tasks that had a process."""

    seconds: float
    task_seconds: float
    tasks: frozenset[str]


def run(least: int = LEAST_PAIRS, most: int = MOST_PAIRS) -> dict[str, Figure]:
    """The ratio over paired runs, the seconds a task above a no-op, and the seconds of the daily DAG."""
    ratios: list[float] = []
    above: list[float] = []
    seconds: list[float] = []
    with _airflow(days=most + 1) as api:
        require_same_tasks(_tasks(api, DAILY), _tasks(api, IDLE))
        for number in range(most + 1):
            day = LAST_DAY - timedelta(days=most + 2 - number)
            order = (DAILY, IDLE) if number % 2 == 0 else (IDLE, DAILY)
            runs = {dag_id: _measure(api, dag_id, day) for dag_id in order}
            daily, idle = runs[DAILY], runs[IDLE]
            if daily.tasks != idle.tasks:
                raise RuntimeError(f"only one of the two ran {sorted(daily.tasks ^ idle.tasks)}")
            if number == 0:
                continue  # the first pair warms Airflow up
            ratios.append(daily.seconds / idle.seconds)
            above.append((daily.task_seconds - idle.task_seconds) / len(daily.tasks))
            seconds.append(daily.seconds)
            if number >= least and is_narrow(ratios):
                break
    return {
        "airflow_overhead": summarise(ratios, "x (a day with nothing new against tasks that do nothing)", "lower"),
        "airflow_task": summarise(above, "s a task of such a day takes above one that does nothing"),
        "airflow_empty_day": summarise(seconds, "s"),
    }


def copy_dags(target: Path) -> None:
    """The project's DAG folder with the idle twin in it."""
    shutil.copytree(PROJECT_ROOT / "dags", target, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TWIN, target)


def require_same_tasks(daily: Sequence[Mapping[str, Any]], idle: Sequence[Mapping[str, Any]]) -> None:
    """Raise RuntimeError that names the tasks in which the two DAGs differ."""
    ours, theirs = ({task["task_id"]: task for task in tasks} for tasks in (daily, idle))
    different = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if different or not ours:
        raise RuntimeError(f"{IDLE} is not the twin of {DAILY}, they differ in: {different or 'having no tasks'}")


def is_narrow(ratios: Sequence[float]) -> bool:
    """Whether the median is known as closely as wanted."""
    interval = median_interval(ratios)
    return interval is not None and interval[1] - interval[0] < WIDTH * statistics.median(ratios)


@contextmanager
def _airflow(days: int) -> Iterator[AirflowApi]:
    """A running Airflow with both DAGs and food APIs without products on that many days."""
    folder = Path(tempfile.mkdtemp(prefix="cuvee-overhead-"))
    copy_dags(folder / "dags")
    settings = Settings(
        state_dir=folder / "state",
        airflow_port=free_port(),
        postgres_port=free_port(),
        last_day=LAST_DAY,  # nothing is scheduled by itself
        requests_per_minute=1_000,  # days follow one another faster than in life: they must not wait for their turn
    )
    postgres = PostgresServer(settings)
    airflow = LocalAirflow(settings, postgres, dags=folder / "dags")
    try:
        with patch.object(delta, "DAYS_KEPT", days + 5), SandboxServer(NothingNew()) as sandbox:
            postgres.start()
            api = airflow.start(sandbox_url=sandbox.url)
            for dag_id in (DAILY, IDLE):
                api.wait_for_dag(dag_id)
                api.unpause(dag_id)
            yield api
    finally:
        airflow.stop()
        postgres.stop()
        shutil.rmtree(folder)


def _tasks(api: AirflowApi, dag_id: str) -> list[dict[str, Any]]:
    """The tasks as Airflow describes them: dependencies, mapping, trigger rule, pool, retries and more."""
    return list(api.get(f"dags/{dag_id}/tasks")["tasks"])


def _measure(api: AirflowApi, dag_id: str, day: date) -> Measured:
    run_id = api.trigger(dag_id, {"day": day.isoformat()})
    finished = api.wait_for_run(dag_id, run_id, RUN_SECONDS)
    api.require_success([finished])
    recorded = api.get(f"dags/{dag_id}/dagRuns/{run_id}")
    begin, end = (datetime.fromisoformat(recorded[key]) for key in ("queued_at", "end_date"))
    durations = {task.name: task.duration_seconds for task in finished.tasks if task.duration_seconds}
    return Measured((end - begin).total_seconds(), sum(durations.values()), frozenset(durations))
