"""Answers what the pages ask of their host from Airflow: its accounts and permissions, its runs and its scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote

import sqlalchemy as sa
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from airflow.jobs.job import Job
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from airflow.utils.types import DagRunType
from starlette.requests import Request

from include.pages.web.access import DAG_OF_RIGHT
from include.pages.web.check_process import check_platform
from include.pages.web.host import Right, Run

ENTITY_OF_RIGHT = {right: None if right == Right.VIEW else DagAccessEntity.RUN for right in Right}


class AirflowViewer:
    """A person with an account of Airflow."""

    def __init__(self, user: BaseUser) -> None:
        """Know the person by the account."""
        self._user = user

    @property
    def name(self) -> str:
        """Name of the account."""
        return self._user.get_name()

    def may(self, right: Right) -> bool:
        """Whether the auth manager grants the permission on the right's DAG: reading it, or triggering it."""
        dag_id = DAG_OF_RIGHT[right]
        return get_auth_manager().is_authorized_dag(
            method="GET" if right == Right.VIEW else "POST",
            access_entity=ENTITY_OF_RIGHT[right],
            details=DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id)),
            user=self._user,
        )


class AirflowHost:
    """Airflow's API server as the host of the pages."""

    home = "../"

    async def viewer(self, request: Request) -> AirflowViewer:
        """The account of a request's session or token; Airflow's own check, with its own refusals."""
        return AirflowViewer(await get_user(request, None, await bearer_scheme(request)))

    def runs(self, dag_id: str, first_day: date, last_day: date) -> Sequence[Run]:
        """The newest run of each day that has one."""
        query = (
            sa.select(DagRun)
            .where(DagRun.dag_id == dag_id, DagRun.run_after >= _midnight(first_day), _may_be_of(first_day, last_day))
            .order_by(DagRun.run_after.desc(), DagRun.id.desc())
            .limit(RUNS)
        )
        with create_session() as session:
            runs = [_run(stored) for stored in session.scalars(query)]
        newest: dict[date, Run] = {}
        for run in sorted(runs, key=lambda one: (one.started or FIRST_MOMENT, one.run_id), reverse=True):
            if first_day <= run.day <= last_day:
                newest.setdefault(run.day, run)
        return list(newest.values())

    def run(self, dag_id: str, run_id: str) -> Run | None:
        """A run by its id."""
        query = sa.select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        with create_session() as session:
            stored = session.scalar(query)
            return None if stored is None else _run(stored)

    def heartbeat(self) -> datetime | None:
        """When the newest scheduler was last alive."""
        with create_session() as session:
            return session.scalar(sa.select(sa.func.max(Job.latest_heartbeat)).where(Job.job_type == "SchedulerJob"))

    def approvals(self) -> Sequence[Run]:
        """Runs of our DAGs with a task that waits for a person's answer; whoever may read ours may not read all."""
        waiting = sa.select(TaskInstance.run_id).where(
            TaskInstance.dag_id == DagRun.dag_id,
            TaskInstance.run_id == DagRun.run_id,
            TaskInstance.state == TaskInstanceState.AWAITING_INPUT,
        )
        with create_session() as session:
            query = sa.select(DagRun).where(DagRun.dag_id.in_(DAG_OF_RIGHT.values()), waiting.exists())
            return [_run(stored) for stored in session.scalars(query)]

    def problems(self) -> Sequence[str]:
        """What `check` finds now."""
        return check_platform()

    def run_page(self, run: Run) -> str:
        """Airflow's page of a run."""
        return f"dags/{quote(run.dag_id, safe='')}/runs/{quote(run.run_id, safe='')}"

    def backfill_page(self, dag_id: str) -> str:
        """Airflow's page of the backfills of a DAG; its button *Trigger* offers a new one."""
        return f"dags/{quote(dag_id, safe='')}/backfills"


RUNS = 2_000
"""Most runs that one page looks at."""
FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _may_be_of(first_day: date, last_day: date) -> sa.ColumnElement[bool]:
    """Which runs are read to find those of some days: scheduled ones by their interval, and all that may name a day."""
    start = DagRun.data_interval_start
    in_days = sa.and_(start >= _midnight(first_day), start < _midnight(last_day + timedelta(days=1)))
    return sa.or_(in_days, DagRun.run_type.not_in((DagRunType.SCHEDULED, DagRunType.BACKFILL_JOB)))


def _run(stored: DagRun) -> Run:
    """A run of Airflow's tables; its day as `task_context.run_day_of` has it."""
    chosen = (stored.conf or {}).get("day")
    try:
        day = date.fromisoformat(chosen) if chosen else None
    except (TypeError, ValueError):
        day = None
    return Run(
        stored.dag_id,
        stored.run_id,
        day or (stored.data_interval_start or stored.run_after).date(),
        str(stored.state),
        stored.start_date,
        stored.end_date,
    )
