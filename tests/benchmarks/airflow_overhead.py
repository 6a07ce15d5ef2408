"""`airflow_overhead`: trigger-to-success of a day with nothing new, against a DAG of the same shape that does nothing.

Both run in the same Airflow, in turns. What is compared is the time from queueing a run to its end, as Airflow
recorded it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from include.local.airflow import LocalAirflow
from include.local.airflow_api import AirflowApi
from include.local.postgres import PostgresServer
from include.sandbox.catalogue import Record
from include.sandbox.demo_catalogue import DemoCatalogue
from include.sandbox.server import SandboxServer
from include.settings import PROJECT_ROOT, Settings
from tests.benchmarks.measure import Figure, summarise
from tests.fixtures.storage import free_port

PAIRS = 7
SERVED_DAY = date(2026, 1, 5)
RUN_SECONDS = 120.0

SAME_SHAPE = '''"""A DAG of the daily batch's shape whose tasks do nothing."""
from datetime import UTC, datetime

from airflow.sdk import dag, task, task_group


@task
def fetch(): ...


@task
def validate(fetched): ...


@task
def plan_shards(validated):
    return []


@task
def embed_text(shard): ...


@task
def embed_images(shard): ...


@task
def classify(shard): ...


@task(trigger_rule="none_failed")
def publish(fetched, validated): ...


@task_group
def label_shard(shard):
    [embed_text(shard), embed_images(shard)] >> classify(shard)


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def same_shape():
    for source in ("openfoodfacts", "edamam"):

        @task_group(group_id=source)
        def label_source():
            fetched = fetch()
            validated = validate(fetched)
            label_shard.expand(shard=plan_shards(validated)) >> publish(fetched, validated)

        label_source()


same_shape()
'''


class NothingNew(DemoCatalogue):
    """Delta files without champagne before the served day, and no Edamam products at all."""

    def edamam_hints(self) -> Sequence[Record]:
        return ()


def run(pairs: int = PAIRS) -> dict[str, Figure]:
    """The ratio over paired runs, and the seconds of the daily DAG."""
    folder = Path(tempfile.mkdtemp(prefix="cuvee-overhead-"))
    dags = folder / "dags"
    shutil.copytree(PROJECT_ROOT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    (dags / "same_shape.py").write_text(SAME_SHAPE)
    settings = Settings(state_dir=folder / "state", airflow_port=free_port(), postgres_port=free_port())
    postgres = PostgresServer(settings)
    airflow = LocalAirflow(settings, postgres, dags=dags)
    try:
        with SandboxServer(NothingNew(SERVED_DAY, days=1)) as sandbox:
            postgres.start()
            api = airflow.start(sandbox_url=sandbox.url)
            for dag_id in ("champagne_daily", "same_shape"):
                api.wait_for_dag(dag_id)
                api.unpause(dag_id)
            return _measure(api, pairs)
    finally:
        airflow.stop()
        postgres.stop()
        shutil.rmtree(folder)


def _measure(api: AirflowApi, pairs: int) -> dict[str, Figure]:
    ratios, seconds = [], []
    days = [SERVED_DAY - timedelta(days=pairs + 1 - number) for number in range(pairs + 1)]
    for number, day in enumerate(days):
        daily = _seconds(api, "champagne_daily", {"day": day.isoformat()})
        nothing = _seconds(api, "same_shape", {})
        if number:  # the first pair warms Airflow up
            ratios.append(daily / nothing)
            seconds.append(daily)
    return {
        "airflow_overhead": summarise(ratios, "x (a day with nothing new against tasks that do nothing)"),
        "airflow_empty_day": summarise(seconds, "s"),
    }


def _seconds(api: AirflowApi, dag_id: str, conf: dict[str, str]) -> float:
    run_id = api.trigger(dag_id, conf)
    api.require_success([api.wait_for_run(dag_id, run_id, RUN_SECONDS)])
    run = api.get(f"dags/{dag_id}/dagRuns/{run_id}")
    return (datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["queued_at"])).total_seconds()
