"""Runs and tasks as Airflow's REST API describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FINISHED = ("success", "failed")


@dataclass(frozen=True)
class TaskState:
    """One task instance of a run; `map_index` is -1 for a task that is not mapped, `state` None before it is queued."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    duration_seconds: float | None

    @classmethod
    def from_answer(cls, entry: Mapping[str, Any]) -> TaskState:
        """The task instance of an entry of `GET …/taskInstances`."""
        return cls(
            task_id=str(entry["task_id"]),
            map_index=int(entry["map_index"]),
            state=entry["state"],
            try_number=int(entry["try_number"]),
            duration_seconds=entry["duration"],
        )

    @property
    def name(self) -> str:
        """The task as it is usually written: `classify`, or `classify[3]` for a mapped one."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


@dataclass(frozen=True)
class RunState:
    """One run of a DAG, with its tasks when they were asked for."""

    dag_id: str
    run_id: str
    state: str
    logical_date: datetime | None
    started: datetime | None
    ended: datetime | None
    tasks: tuple[TaskState, ...] = field(default=())

    @classmethod
    def from_answer(cls, entry: Mapping[str, Any]) -> RunState:
        """The run of an entry of `GET …/dagRuns`, without its tasks."""
        return cls(
            dag_id=str(entry["dag_id"]),
            run_id=str(entry["dag_run_id"]),
            state=str(entry["state"]),
            logical_date=_moment(entry["logical_date"]),
            started=_moment(entry["start_date"]),
            ended=_moment(entry["end_date"]),
        )

    @property
    def is_finished(self) -> bool:
        """Whether the run has succeeded or failed."""
        return self.state in FINISHED


Progress = Callable[[Sequence[RunState]], None]
"""Called with the runs that are waited for, whenever the state of one of their tasks changes."""


def log_line(entry: Any) -> str:
    """An entry of a task's log as one indented line, its exceptions on lines of their own."""
    if not isinstance(entry, dict):
        return f"    {entry}"
    details = entry.get("error_detail")
    errors = "".join(f"\n    {error.get('exc_type')}: {error.get('exc_value')}" for error in details or [])
    return f"    {entry.get('timestamp', '')} {entry.get('level', '')} {entry.get('event', '')}{errors}"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
