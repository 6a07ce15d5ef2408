"""The local Airflow itself, with DAGs that do nothing: start, restart, kill, stop."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil
import pytest
import requests

from include.errors import ConfigurationError
from include.local.airflow import COMPONENTS, LocalAirflow
from include.local.airflow_api import AirflowApi, AirflowFailure
from include.local.airflow_config import Login
from include.local.processes import require_free_port, wait_until
from include.settings import Settings
from tests.fixtures.airflow import RunningAirflow
from tests.fixtures.storage import free_port

DAGS = """
from datetime import UTC, datetime

from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)
def nothing():
    @task(pool="photos")
    def inherits():
        import sys

        from include.settings import load_settings

        assert "sklearn" in sys.modules and "tensorflow" not in sys.modules
        print("shard size", load_settings().shard_size)

    @task.run_if(lambda context: (context["dag_run"].conf or {}).get("fail"))
    @task
    def fails():
        raise ValueError("as it should")

    inherits() >> fails()


nothing()
"""
BROKEN = "import airflow.sdk\nraise RuntimeError('this DAG file is broken')\n# dag"


@dataclass
class Started:
    """A running Airflow and how it was made."""

    running: RunningAirflow
    api: AirflowApi

    @property
    def settings(self) -> Settings:
        """Settings that it was started with."""
        return self.running.settings

    @property
    def airflow(self) -> LocalAirflow:
        """The Airflow."""
        return self.running.airflow

    def pid(self, component: str) -> int | None:
        """Process id of a component."""
        return {status.name: status.pid for status in self.airflow.status()}[component]

    def like(self, **changes: object) -> LocalAirflow:
        """The same Airflow as another command would describe it."""
        return self.running.like(self.settings.model_copy(update=changes))


@pytest.fixture(scope="module")
def started(running_airflow: RunningAirflow, empty_registry: Callable[[Path], None]) -> Iterator[Started]:
    file = running_airflow.settings.state_dir / "dags" / "nothing.py"
    file.write_text(DAGS)
    yield Started(running_airflow, running_airflow.begin(empty_registry, ["nothing"], "http://127.0.0.1:9"))
    file.unlink()


def members(pid: int) -> list[int]:
    """Live processes of the session of `pid`."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


@pytest.mark.e2e
def test_all_components_are_healthy_and_speak_to_this_machine_only(started: Started) -> None:
    assert {status.name: status.healthy for status in started.airflow.status()} == dict.fromkeys(COMPONENTS, True)
    listening = {
        connection.laddr.ip
        for component in COMPONENTS
        for pid in members(started.pid(component) or -1)
        for connection in psutil.Process(pid).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


@pytest.mark.e2e
def test_strangers_are_refused_and_the_login_opens(started: Started) -> None:
    assert requests.get(f"{started.airflow.url}/api/v2/dags", timeout=10).status_code == 401
    with pytest.raises(AirflowFailure, match="refused the login of admin"):
        AirflowApi(started.airflow.url, Login("admin", "wrong")).get("dags")
    assert started.airflow.api().get("dags")["total_entries"] >= 0


@pytest.mark.e2e
def test_connections_and_pools_of_the_settings_file_are_there(started: Started) -> None:
    pools = {pool["name"]: pool["slots"] for pool in started.api.get("pools")["pools"]}
    assert pools.items() >= {"food_api": 2, "photos": 2, "embedding": 2, "warehouse": 2, "training": 1}.items()
    hosts = {c["connection_id"]: c["host"] for c in started.api.get("connections")["connections"]}
    assert hosts == {"openfoodfacts": "http://127.0.0.1:9", "edamam": "http://127.0.0.1:9"}


@pytest.mark.e2e
def test_starting_again_keeps_the_processes_and_what_people_changed(started: Started) -> None:
    before = [started.pid(name) for name in COMPONENTS]
    started.api.upsert("pools", [{"name": "photos", "slots": 7, "include_deferred": False}])
    started.like().start(sandbox_url="http://127.0.0.1:9")
    assert [started.pid(name) for name in COMPONENTS] == before
    assert started.api.get("pools/photos")["slots"] == 7
    started.like().start()  # the real APIs now: the file is loaded again, and the change goes
    hosts = {c["connection_id"]: c["host"] for c in started.api.get("connections")["connections"]}
    assert hosts["openfoodfacts"] == started.settings.openfoodfacts_url
    assert started.api.get("pools/photos")["slots"] == 2


@pytest.mark.e2e
def test_a_backfill_runs_each_day_once_and_again_when_repeated(started: Started) -> None:
    first, last = date(2026, 1, 1), date(2026, 1, 2)
    seen: list[int] = []
    starts = set()
    for _ in range(2):
        started.api.create_backfill("nothing", first, last)
        runs = started.api.wait_for_runs("nothing", first, last, 120, lambda runs: seen.append(len(runs)))
        assert [(run.state, run.logical_date.date() if run.logical_date else None) for run in runs] == [
            ("success", first),
            ("success", last),
        ]
        starts |= {run.started for run in runs}
    assert len(starts) == 4
    assert set(seen) == {2}
    started.api.require_success(runs)


@pytest.mark.e2e
def test_a_failed_task_is_told_with_its_log(started: Started) -> None:
    run = started.api.wait_for_run("nothing", started.api.trigger("nothing", {"fail": True}), 120)
    with pytest.raises(AirflowFailure, match=r"(?s)nothing ended as failed .*task fails:.*as it should"):
        started.api.require_success([run])


@pytest.mark.e2e
def test_a_dag_that_cannot_be_read_is_told_with_its_traceback(started: Started) -> None:
    file = started.settings.state_dir / "dags" / "broken.py"
    file.write_text(BROKEN)
    assert wait_until(lambda: bool(started.api.import_errors()), 60)
    with pytest.raises(AirflowFailure, match="this DAG file is broken"):
        started.api.wait_for_dag("broken", timeout_seconds=0)
    file.unlink()


@pytest.mark.e2e
def test_a_killed_scheduler_is_replaced_and_leaves_nothing(started: Started) -> None:
    killed = started.pid("scheduler")
    assert killed is not None
    others = [started.pid(name) for name in COMPONENTS if name != "scheduler"]
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: started.pid("scheduler") is None, 20)
    started.like().start()
    assert members(killed) == []
    assert [started.pid(name) for name in COMPONENTS if name != "scheduler"] == others
    assert started.api.wait_for_run("nothing", started.api.trigger("nothing"), 120).state == "success"


@pytest.mark.e2e
def test_changed_settings_restart_airflow_and_stopping_ends_all_of_it(started: Started) -> None:
    before = [started.pid(name) for name in COMPONENTS]
    started.like(shard_size=4321).launch()
    after = [started.pid(name) for name in COMPONENTS]
    assert not set(before) & set(after)
    assert None not in after
    assert started.airflow.stop()
    assert [members(pid) for pid in [*before, *after] if pid] == [[]] * 8
    assert not started.airflow.stop()
    assert started.running.postgres.is_running()
    require_free_port(started.settings.airflow_port, "CUVEE_AIRFLOW_PORT", "the Airflow UI")


class NoDatabase:
    """A PostgreSQL that was never started."""

    def url(self, _database: str) -> str:
        """No address."""
        return ""


class UnreachableDatabase:
    """A PostgreSQL that does not run."""

    def url(self, _database: str) -> str:
        """An address where nobody listens."""
        return "postgresql+psycopg2://airflow:secret@127.0.0.1:9/airflow"


def test_a_taken_port_stops_the_start_with_the_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(state_dir=tmp_path, airflow_port=port)
        with pytest.raises(ConfigurationError, match=rf"Port {port}.*CUVEE_AIRFLOW_PORT"):
            LocalAirflow(settings, UnreachableDatabase()).start()


def test_a_database_that_does_not_run_is_named_without_its_password(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, airflow_port=free_port())
    with pytest.raises(ConfigurationError, match="does not answer") as caught:
        LocalAirflow(settings, UnreachableDatabase()).start()
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="start PostgreSQL first"):
        LocalAirflow(settings, NoDatabase()).start()


def test_where_nothing_was_started_nothing_runs(tmp_path: Path) -> None:
    airflow = LocalAirflow(Settings(state_dir=tmp_path, airflow_port=free_port()), NoDatabase())
    assert not airflow.is_running()
    assert not airflow.stop()
    assert [status.pid for status in airflow.status()] == [None, None, None, None]


def test_an_airflow_that_does_not_answer_is_said_to_be_down() -> None:
    api = AirflowApi(f"http://127.0.0.1:{free_port()}", Login("admin", "x"))
    assert api.health() is None
    with pytest.raises(AirflowFailure, match="does not answer"):
        api.get("dags")
