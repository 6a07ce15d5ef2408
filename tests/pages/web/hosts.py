"""A host for tests: it knows three people by a header, and the runs that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from fastapi import HTTPException
from starlette.requests import Request

from include.pages.web.host import Right, Run

RIGHTS = {
    "stranger": frozenset[Right](),
    "viewer": frozenset({Right.VIEW}),
    "steward": frozenset({Right.VIEW, Right.REVIEW}),
    "admin": frozenset(Right),
}
"""Account → its rights; the stranger has an account that may nothing."""


@dataclass(frozen=True)
class Person:
    """An account."""

    name: str

    def may(self, right: Right) -> bool:
        """Whether the account has a right."""
        return right in RIGHTS[self.name]


@dataclass
class SmallHost:
    """The host of a test; a request's header `x-account` names who asks."""

    home: str = "../"
    stored: list[Run] = field(default_factory=list)
    waiting: list[Run] = field(default_factory=list)
    alive: datetime | None = None
    found: list[str] = field(default_factory=list)

    async def viewer(self, request: Request) -> Person:
        """Who asks; refused without a header, as without a login."""
        name = request.headers.get("x-account")
        if name not in RIGHTS:
            raise HTTPException(401, "Not authenticated")
        return Person(name)

    def runs(self, dag_id: str, first_day: date, last_day: date) -> Sequence[Run]:
        """The given runs of these days."""
        return [run for run in self.stored if run.dag_id == dag_id and first_day <= run.day <= last_day]

    def run(self, dag_id: str, run_id: str) -> Run | None:
        """A given run."""
        return next((run for run in self.stored if (run.dag_id, run.run_id) == (dag_id, run_id)), None)

    def heartbeat(self) -> datetime | None:
        """As given."""
        return self.alive

    def approvals(self) -> Sequence[Run]:
        """As given."""
        return self.waiting

    def problems(self) -> Sequence[str]:
        """As given."""
        return self.found

    def run_page(self, run: Run) -> str:
        """As Airflow's."""
        return f"dags/{run.dag_id}/runs/{run.run_id}"

    def backfill_page(self, dag_id: str) -> str:
        """As Airflow's."""
        return f"dags/{dag_id}/backfills"
