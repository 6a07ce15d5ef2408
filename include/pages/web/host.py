"""What the pages ask of the program that serves them: who is asking, what they may do, and what state runs are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from starlette.requests import Request


class Right(StrEnum):
    """What a person may do; each is a right on a DAG, so that whoever administers Airflow grants it there."""

    VIEW = "view"
    """Read every page: whoever may read `champagne_daily`."""
    REVIEW = "review"
    """Decide about labels: whoever may trigger `label_reviews`."""
    ROLL_BACK = "roll back"
    """Make a former champion the champion again: whoever may trigger `rollback_champion`."""
    RELABEL = "relabel"
    """Label all products again: whoever may trigger `relabel_catalogue`."""
    RETRAIN = "retrain"
    """Start a training: whoever may trigger `retrain_weekly`."""


class Viewer(Protocol):
    """The person who asks for a page."""

    @property
    def name(self) -> str:
        """Name of the account, e.g. `admin`."""

    def may(self, right: Right) -> bool:
        """Whether the person has a right."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a DAG."""

    dag_id: str
    run_id: str
    day: date
    """The day that it is about."""
    state: str
    """`queued`, `running`, `success` or `failed`."""
    started: datetime | None
    ended: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long it took; None as long as it has not ended."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None


class Host(Protocol):
    """The program that serves the pages: Airflow's API server, or a test."""

    home: str
    """Address of the host's own first page, relative to that of the pages: `../`."""

    async def viewer(self, request: Request) -> Viewer:
        """Who asks. Raises HTTPException 401 or 403 for whoever has not logged in."""

    def runs(self, dag_id: str, first_day: date, last_day: date) -> Sequence[Run]:
        """The newest run of each day from `first_day` to `last_day`, both included; days without a run are left out."""

    def heartbeat(self) -> datetime | None:
        """When the newest scheduler was last alive; None when there never was one."""

    def approvals(self) -> Sequence[Run]:
        """Runs of the platform's own DAGs that wait for a person's answer."""

    def problems(self) -> Sequence[str]:
        """What `python -m include check` would report now, one sentence each; empty when all is well."""

    def run(self, dag_id: str, run_id: str) -> Run | None:
        """A run by its id; None when there is none."""

    def run_page(self, run: Run) -> str:
        """Address of a run, relative to `home`: `dags/champagne_daily/runs/…`."""

    def backfill_page(self, dag_id: str) -> str:
        """Address where a person starts a backfill of a DAG, relative to `home`."""
