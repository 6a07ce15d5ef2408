"""A small client of Airflow's REST API: what the demo, the commands and the tests need of a running Airflow.

api = AirflowApi("http://127.0.0.1:8080", Login("admin", "…"))
api.wait_for_dag("champagne_daily")
api.unpause("champagne_daily")
api.create_backfill("champagne_daily", date(2026, 1, 1), date(2026, 1, 3))
runs = api.wait_for_runs("champagne_daily", date(2026, 1, 1), date(2026, 1, 3), timeout_seconds=600)
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from urllib.parse import quote

import requests

from include.errors import CuveeError
from include.local.airflow_config import Login
from include.local.airflow_runs import Progress, RunState, TaskState, log_line

PAGE = 100
REQUEST_SECONDS = 30.0
POLL_SECONDS = 0.5
"""Pause between two requests for a run's state: each takes CPU that the run's own tasks could use."""


class AirflowFailure(CuveeError):
    """Airflow did not answer, refused a request, or a run failed; the message states which, and where to look."""


class AirflowApi:
    """Requests to one Airflow, with a token that is fetched when needed."""

    def __init__(self, url: str, login: Login) -> None:
        """Describe the Airflow at `url` (`http://127.0.0.1:8080`); the first request logs in."""
        self.url = url.rstrip("/")
        self._login = login
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between a machine and itself, no ~/.netrc over the token

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON answer of `GET /api/v2/<path>`."""
        return self.request("GET", path, parameters=parameters)

    def request(self, method: str, path: str, body: Any = None, parameters: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer of one request, None if it has no body. Raises AirflowFailure for anything but 2xx."""
        response = self._authenticated(method, path, body, parameters)
        if not response.ok:
            raise AirflowFailure(f"Airflow refused {method} {path} ({response.status_code}): {_reason(response)}")
        return response.json() if response.content else None

    def health(self) -> dict[str, Any] | None:
        """State and last heartbeat of each component; None while nothing answers."""
        try:
            response = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=5)
            return dict(response.json()) if response.ok else None
        except (requests.RequestException, ValueError):
            return None

    def warm_execution_api(self) -> None:
        """Make the API server build the part that serves tasks, which the first task would otherwise wait for."""
        try:
            self._session.get(f"{self.url}/execution/health", timeout=REQUEST_SECONDS)
        except requests.RequestException as error:
            raise AirflowFailure(f"Airflow's task API does not answer at {self.url}: {error}") from error

    def upsert(self, kind: str, entities: Sequence[Mapping[str, Any]]) -> None:
        """Create or overwrite `connections`, `pools` or `variables`, given as the REST API names their fields."""
        if not entities:
            return
        action = {"action": "create", "action_on_existence": "overwrite", "entities": list(entities)}
        result = self.request("PATCH", kind, {"actions": [action]})
        errors = [error for outcome in result.values() if outcome for error in outcome.get("errors", [])]
        if errors:
            raise AirflowFailure(f"Airflow refused {kind} of airflow_settings.yaml: {errors}")

    # DAGs

    def import_errors(self) -> dict[str, str]:
        """The traceback of each DAG file that cannot be imported, by its path."""
        found = self.get("importErrors", limit=PAGE)["import_errors"]
        return {str(error["filename"]): str(error["stack_trace"]) for error in found}

    def wait_for_dag(self, dag_id: str, timeout_seconds: float = 60.0) -> None:
        """Return when Airflow has read the DAG; AirflowFailure with the import errors if it has not in time."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            response = self._authenticated("GET", f"dags/{dag_id}")
            if response.ok and not response.json().get("is_stale"):
                return
            if time.monotonic() > deadline:
                errors = "\n".join(f"{name}:\n{trace}" for name, trace in self.import_errors().items())
                raise AirflowFailure(
                    f"Airflow has not found the DAG {dag_id} within {timeout_seconds:.0f} s. "
                    f"{errors or 'No DAG file has an import error: see dag-processor.log.'}"
                )
            time.sleep(0.25)

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run the DAG."""
        self.request("PATCH", f"dags/{dag_id}", {"is_paused": False}, {"update_mask": "is_paused"})

    def pause(self, dag_id: str) -> None:
        """Let the scheduler start nothing new of the DAG."""
        self.request("PATCH", f"dags/{dag_id}", {"is_paused": True}, {"update_mask": "is_paused"})

    # Runs

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, logical_date: datetime | None = None) -> str:
        """Start one run; its run id, `manual__2026-01-05__…` if `conf` has that `day`.

        `logical_date` must be in UTC and unused; without it, the run has none.
        """
        body: dict[str, Any] = {"logical_date": logical_date and logical_date.isoformat(), "conf": dict(conf or {})}
        if day := body["conf"].get("day"):
            body["dag_run_id"] = f"manual__{day}__{datetime.now(UTC).isoformat()}"
        return str(self.request("POST", f"dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def create_backfill(
        self,
        dag_id: str,
        first_day: date,
        last_day: date,
        *,
        reprocess: str = "completed",
        max_active_runs: int = 2,
        conf: Mapping[str, Any] | None = None,
    ) -> int:
        """Run the DAG for each day from `first_day` to `last_day`, both included; the backfill's id.

        `reprocess` decides about days that have a run already: `none` leaves them, `failed` repeats the failed
        ones, `completed` repeats all. Raises AirflowFailure if another backfill of the DAG goes on.
        """
        body = {
            "dag_id": dag_id,
            "from_date": _midnight(first_day).isoformat(),
            "to_date": _midnight(last_day).isoformat(),
            "reprocess_behavior": reprocess,
            "max_active_runs": max_active_runs,
            "dag_run_conf": dict(conf or {}),
        }
        response = self._authenticated("POST", "backfills", body)
        if response.status_code == requests.codes.conflict and self._close_finished_backfills(dag_id):
            response = self._authenticated("POST", "backfills", body)
        if not response.ok:
            raise AirflowFailure(f"Airflow refused the backfill of {dag_id}: {_reason(response)}")
        return int(response.json()["id"])

    def runs(self, dag_id: str, first_day: date, last_day: date) -> list[RunState]:
        """The runs whose logical date lies in these days (both included), oldest first, without their tasks."""
        found: list[RunState] = []
        while True:
            page = self.get(
                f"dags/{dag_id}/dagRuns",
                logical_date_gte=_midnight(first_day).isoformat(),
                logical_date_lt=_midnight(last_day + timedelta(days=1)).isoformat(),
                order_by="logical_date",
                limit=PAGE,
                offset=len(found),
            )["dag_runs"]
            found += [RunState.from_answer(entry) for entry in page]
            if len(page) < PAGE:
                return found

    def run(self, dag_id: str, run_id: str) -> RunState:
        """One run with its tasks."""
        return self._with_tasks(RunState.from_answer(self.get(f"dags/{dag_id}/dagRuns/{run_id}")))

    def wait_for_run(
        self, dag_id: str, run_id: str, timeout_seconds: float, on_progress: Progress | None = None
    ) -> RunState:
        """The finished run, succeeded or failed; AirflowFailure if it does not finish in time."""

        def ask() -> list[RunState]:
            return [RunState.from_answer(self.get(f"dags/{dag_id}/dagRuns/{run_id}"))]

        return self._wait(ask, dag_id, timeout_seconds, on_progress)[0]

    def wait_for_runs(
        self,
        dag_id: str,
        first_day: date,
        last_day: date,
        timeout_seconds: float,
        on_progress: Progress | None = None,
    ) -> list[RunState]:
        """All finished runs of these days with their tasks; AirflowFailure if one does not finish in time."""
        return self._wait(lambda: self.runs(dag_id, first_day, last_day), dag_id, timeout_seconds, on_progress)

    def require_success(self, runs: Sequence[RunState]) -> None:
        """Raise AirflowFailure that names each failed task with the end of its log, if a run did not succeed."""
        failures = [run for run in runs if run.state != "success"]
        if not failures:
            return
        lines = []
        for run in failures:
            lines.append(f"Run {run.run_id} of {run.dag_id} ended as {run.state} ({self.run_page(run)}).")
            for task in run.tasks:
                if task.state == "failed":
                    lines += [f"  task {task.name}:", self.task_log(run, task)]
        raise AirflowFailure("\n".join(lines))

    def run_page(self, run: RunState) -> str:
        """Address of the run in Airflow's UI."""
        return f"{self.url}/dags/{run.dag_id}/runs/{quote(run.run_id, safe='')}"

    def task_log(self, run: RunState, task: TaskState, lines: int = 12) -> str:
        """The last lines of the log of a task's latest try; empty if there is none."""
        path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        response = self._authenticated("GET", path, parameters={"map_index": task.map_index, "full_content": True})
        if not response.ok:
            return ""
        content = [entry for entry in response.json().get("content") or [] if "::group::" not in str(entry)]
        content = [entry for entry in content if "::endgroup::" not in str(entry)]
        return "\n".join(log_line(entry) for entry in content[-lines:])

    # Inside

    def _close_finished_backfills(self, dag_id: str) -> bool:
        """Close backfills whose runs have ended, which Airflow itself notices up to 30 s late; True if any."""
        closed = False
        for backfill in self.get("backfills", dag_id=dag_id, limit=PAGE)["backfills"]:
            if backfill["completed_at"] is None:
                first, last = (datetime.fromisoformat(backfill[key]).date() for key in ("from_date", "to_date"))
                if all(run.is_finished for run in self.runs(dag_id, first, last)):
                    self.request("PUT", f"backfills/{backfill['id']}/cancel")
                    closed = True
        return closed

    def _wait(
        self, ask: Callable[[], list[RunState]], dag_id: str, timeout_seconds: float, on_progress: Progress | None
    ) -> list[RunState]:
        """The runs that `ask` returns, with their tasks, once all are finished; listing tasks is costly."""
        deadline = time.monotonic() + timeout_seconds
        reported: list[RunState] | None = None
        while True:
            runs = ask()
            finished = bool(runs) and all(run.is_finished for run in runs)
            if on_progress or finished:
                runs = [self._with_tasks(run) for run in runs]
            if on_progress and runs != reported:
                on_progress(runs)
                reported = runs
            if finished:
                return runs
            if time.monotonic() > deadline:
                states = Counter(run.state for run in runs)
                raise AirflowFailure(
                    f"The runs of {dag_id} have not finished within {timeout_seconds:.0f} s "
                    f"({dict(states) or 'none has been made'}): see {self.url}/dags/{dag_id}, and `make status`."
                )
            time.sleep(POLL_SECONDS)

    def _with_tasks(self, run: RunState) -> RunState:
        tasks: list[TaskState] = []
        while True:
            path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
            page = self.get(path, limit=PAGE, offset=len(tasks))["task_instances"]
            tasks += [TaskState.from_answer(entry) for entry in page]
            if len(page) < PAGE:
                return replace(run, tasks=tuple(tasks))

    def _authenticated(
        self, method: str, path: str, body: Any = None, parameters: Mapping[str, Any] | None = None
    ) -> requests.Response:
        """The answer whatever its status, for callers to whom 404 or 409 means something."""
        response = self._send(method, path, body, parameters)
        if response.status_code == requests.codes.unauthorized:
            self._authenticate()
            response = self._send(method, path, body, parameters)
        return response

    def _send(self, method: str, path: str, body: Any, parameters: Mapping[str, Any] | None) -> requests.Response:
        if "Authorization" not in self._session.headers:
            self._authenticate()
        try:
            return self._session.request(
                method, f"{self.url}/api/v2/{path}", json=body, params=dict(parameters or {}), timeout=REQUEST_SECONDS
            )
        except requests.RequestException as error:
            raise AirflowFailure(
                f"Airflow does not answer at {self.url} ({error}): `make status`, `make up`"
            ) from error

    def _authenticate(self) -> None:
        body = {"username": self._login.username, "password": self._login.password}
        try:
            response = self._session.post(f"{self.url}/auth/token", json=body, timeout=REQUEST_SECONDS)
        except requests.RequestException as error:
            raise AirflowFailure(
                f"Airflow does not answer at {self.url} ({error}): `make status`, `make up`"
            ) from error
        if not response.ok:
            raise AirflowFailure(
                f"Airflow at {self.url} refused the login of {self._login.username}: {_reason(response)}"
            )
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time_of_day.min, tzinfo=UTC)


def _reason(response: requests.Response) -> str:
    try:
        detail = response.json().get("detail")
    except (ValueError, AttributeError):
        detail = response.text[:500]
    return str(detail)
