"""The local Airflow: API server, scheduler, DAG processor and triggerer on this machine, for one state folder.

    airflow = LocalAirflow(settings, PostgresServer(settings))
    api = airflow.start()       # at once if it already runs; PostgreSQL must run
    airflow.login().password
    airflow.stop()

`start` is `launch` and then `wait`: what can be done while Airflow boots goes between the two.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import psutil
import sqlalchemy as sa
from filelock import FileLock

from include.errors import ConfigurationError
from include.local.airflow_api import AirflowApi
from include.local.airflow_config import USERNAME, AirflowFolder, Login
from include.local.airflow_settings import AirflowObjects, read_airflow_settings
from include.local.load_settings import load
from include.local.processes import BackgroundProgram, require_free_port
from include.settings import PROJECT_ROOT, Settings
from include.storage.local_files import write_file

logger = logging.getLogger(__name__)

COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],  # logs are read from the shared folder, not from a port
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
HEARTBEATS = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
STOP_SECONDS = {"api-server": 5.0, "scheduler": 12.0, "dag-processor": 5.0, "triggerer": 3.0}
"""The scheduler waits for running tasks; an idle triggerer sometimes waits 10 s for no reason."""
BOOT_SECONDS = 180.0
MIGRATION_SECONDS = 300.0

Report = Callable[[str], None]
"""Receives lines of progress."""


class AirflowDatabase(Protocol):
    """Provides the address of Airflow's own database; usually the embedded PostgreSQL."""

    def url(self, database: str) -> str:
        """SQLAlchemy URL of the database `airflow`, empty if its server was never started."""


@dataclass(frozen=True)
class ComponentStatus:
    """One component as it is now: `pid` None if it does not run, `healthy` by its own heartbeat."""

    name: str
    pid: int | None
    healthy: bool
    log: Path


class LocalAirflow:
    """The Airflow of one state folder. Several processes may hold such an object; starting is serialised."""

    def __init__(
        self,
        settings: Settings,
        database: AirflowDatabase,
        *,
        dags: Path = PROJECT_ROOT / "dags",
        plugins: Path = PROJECT_ROOT / "plugins",
    ) -> None:
        """Describe the Airflow of `settings.state_dir` on `settings.airflow_port`; nothing is touched yet."""
        self._settings = settings
        self._database = database
        self._folder = AirflowFolder(settings.state_dir / "airflow", settings.airflow_port, dags, plugins)
        self._programs = {name: BackgroundProgram(name, self._folder.home / "processes") for name in COMPONENTS}

    @property
    def url(self) -> str:
        """Address of the UI, e.g. `http://127.0.0.1:8080`."""
        return self._folder.url

    def login(self, username: str = USERNAME) -> Login:
        """User and password of the UI and the REST API."""
        return self._folder.login(username)

    def api(self) -> AirflowApi:
        """A client of the REST API."""
        return AirflowApi(self.url, self.login())

    def start(self, sandbox_url: str | None = None, report: Report = logger.info) -> AirflowApi:
        """Start what does not run, wait until all of it works, and load `airflow_settings.yaml`.

        With `sandbox_url`, the API connections point there. Raises ConfigurationError with the reason and
        the way out: port taken, database not reachable, or a component that did not come up, with its log.
        """
        self.launch(report)
        return self.wait(sandbox_url, report)

    def launch(self, report: Report = logger.info) -> None:
        """Bring the database up to date and start the components that do not run, without waiting for them."""
        self._folder.home.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder.home / ".start.lock", timeout=BOOT_SECONDS):
            database_url = self._database_url()
            started_with = self._folder.home / "started.sha256"
            wanted = self._folder.digest(self._settings, database_url)
            if any(program.is_running() for program in self._programs.values()) and (
                not started_with.exists() or started_with.read_text() != wanted
            ):
                report("settings have changed: restarting Airflow")
                self.stop()
            if self.is_running():
                return
            if not self._programs["api-server"].is_running():
                self._programs["api-server"].stop()  # its workers keep the port when it is killed
                require_free_port(self._settings.airflow_port, "CUVEE_AIRFLOW_PORT", "the Airflow UI")
            self._folder.write(self._settings, database_url)
            environment = self._folder.environment(self._settings, os.environ)
            self._migrate(environment, report)
            write_file(started_with, wanted, owner_only=True)
            report("starting Airflow")
            for name, arguments in COMPONENTS.items():
                self._programs[name].start([sys.executable, "-m", "airflow", *arguments], environment, PROJECT_ROOT)

    def wait(self, sandbox_url: str | None = None, report: Report = logger.info) -> AirflowApi:
        """Wait until every component works, then load connections, pools and variables if they changed."""
        api = self.api()
        begin = time.monotonic()
        waiting_for = list(COMPONENTS)
        while True:
            still = self._not_working(api)
            if still != waiting_for:
                ready = [name for name in waiting_for if name not in still]
                if ready:
                    report(f"Airflow: {', '.join(ready)} ready after {time.monotonic() - begin:.0f} s")
                waiting_for = still
            if not waiting_for:
                break
            self._raise_if_dead()
            if time.monotonic() - begin > BOOT_SECONDS:
                raise self._boot_failure(waiting_for[0], f"was not ready after {BOOT_SECONDS:.0f} s")
            time.sleep(0.2)
        api.warm_execution_api()
        self._load_objects(api, sandbox_url)
        return api

    def stop(self) -> bool:
        """Stop all that was started here and nothing else; True if anything ran. Running tasks get 12 s to end."""
        # The API server last: tasks report to it when they end.
        first = [name for name in COMPONENTS if name != "api-server"]
        with ThreadPoolExecutor() as pool:
            stopped = list(pool.map(lambda name: self._programs[name].stop(STOP_SECONDS[name]), first))
        return any([*stopped, self._programs["api-server"].stop(STOP_SECONDS["api-server"])])

    def is_running(self) -> bool:
        """Whether every component's process is alive."""
        return all(program.is_running() for program in self._programs.values())

    def status(self) -> list[ComponentStatus]:
        """Each component with its process id and health."""
        working = self._not_working(self.api()) if self.is_running() else list(COMPONENTS)
        result = []
        for name, program in self._programs.items():
            process = program.process()
            pid = None if process is None else int(process.pid)
            result.append(ComponentStatus(name, pid, name not in working, program.log))
        return result

    # Inside

    def _database_url(self) -> str:
        url = self._database.url("airflow")
        if not url:
            raise ConfigurationError("Airflow's database has no address yet: start PostgreSQL first (make up).")
        return url

    def _migrate(self, environment: dict[str, str], report: Report) -> None:
        """Run `airflow db migrate`, which takes seconds, only if this version has not done so on this database."""
        stamp = self._folder.home / "migrated.json"
        revision = self._revision()
        known = json.loads(stamp.read_text()) if stamp.exists() else {}
        current = {"airflow": version("apache-airflow-core"), "revision": revision}
        if revision is not None and known == current:
            return
        report("preparing Airflow's database")
        if revision is None:
            (self._folder.home / "loaded.sha256").unlink(missing_ok=True)
        log = self._folder.home / "processes" / "migrate.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            result = subprocess.run(
                [sys.executable, "-m", "airflow", "db", "migrate"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=PROJECT_ROOT,
                timeout=MIGRATION_SECONDS,
                check=False,
            )
        if result.returncode != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise ConfigurationError(f"Airflow's database could not be prepared; the whole log is in {log}:\n{tail}")
        write_file(stamp, json.dumps(current | {"revision": self._revision()}), owner_only=True)

    def _revision(self) -> str | None:
        """Schema version of Airflow's database, None if it is empty."""
        engine = sa.create_engine(self._database_url(), poolclass=sa.NullPool, connect_args={"connect_timeout": 10})
        try:
            with engine.connect() as connection:
                if not sa.inspect(connection).has_table("alembic_version"):
                    return None
                return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        except sa.exc.OperationalError as error:
            raise ConfigurationError(
                f"Airflow's database does not answer ({error.orig}): is PostgreSQL running? (make status, make up)"
            ) from error
        finally:
            engine.dispose()

    def _not_working(self, api: AirflowApi) -> list[str]:
        health = api.health()
        if health is None:
            return list(COMPONENTS)
        waiting = [] if self._programs["api-server"].is_running() else ["api-server"]
        for name, key in HEARTBEATS.items():
            process = self._programs[name].process()
            component = health.get(key) or {}
            beat = component.get(f"latest_{key}_heartbeat")
            if process is None or component.get("status") != "healthy" or not _beats_since(process, beat):
                waiting.append(name)
        return waiting

    def _raise_if_dead(self) -> None:
        for name, program in self._programs.items():
            if not program.is_running():
                raise self._boot_failure(name, "has ended")

    def _boot_failure(self, name: str, what: str) -> ConfigurationError:
        program = self._programs[name]
        return ConfigurationError(
            f"Airflow's {name} {what}. The end of its log ({program.log}):\n{program.log_tail()}\n"
            f"Run `make down`, then `make up`."
        )

    def _load_objects(self, api: AirflowApi, sandbox_url: str | None) -> None:
        """Load the settings file unless the same was loaded before: what people change in the UI then stays."""
        objects = read_airflow_settings(self._settings, os.environ)
        if sandbox_url:
            objects = objects.with_sandbox(sandbox_url)
        stamp = self._folder.home / "loaded.sha256"
        digest = _digest(objects)
        if stamp.exists() and stamp.read_text() == digest:
            return
        load(api, objects)
        write_file(stamp, digest, owner_only=True)
        logger.info(
            "loaded %d connections, %d pools, %d variables",
            len(objects.connections),
            len(objects.pools),
            len(objects.variables),
        )


def _beats_since(process: psutil.Process, beat: str | None) -> bool:
    """Whether a heartbeat is the process's own: an earlier one belongs to its predecessor."""
    started = datetime.fromtimestamp(process.create_time(), UTC) - timedelta(seconds=1)
    return beat is not None and datetime.fromisoformat(beat) >= started


def _digest(objects: AirflowObjects) -> str:
    content = json.dumps([objects.connections, objects.pools, objects.variables], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
