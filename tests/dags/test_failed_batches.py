"""A task's failure is written to the batch that it belongs to, and to none where it belongs to none."""

from __future__ import annotations

import logging
import sys
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.dags.conftest import DAGS_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from include.settings import Settings


@pytest.fixture
def task_context(airflow_home: Path, warehouse_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(DAGS_FOLDER), *sys.path])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import task_context
    monkeypatch.setattr(task_context, "load_settings", lambda: warehouse_settings)
    return task_context


def failure_of(task_id: str) -> dict[str, Any]:
    return {
        "ti": SimpleNamespace(task_id=task_id),
        "params": {"day": "2026-01-05"},
        "exception": RuntimeError("the API is down"),
    }


def rows(engine: Engine) -> list[tuple[Any, ...]]:
    from sqlalchemy import text

    with engine.connect() as connection:
        return [
            tuple(row) for row in connection.execute(text("SELECT source, status, failed_step, error FROM batches"))
        ]


def test_a_source_s_task_writes_why_it_failed(task_context: Any, warehouse: Engine) -> None:
    task_context.record_failed_batch(failure_of("edamam.label_shard.classify"))
    assert rows(warehouse) == [("edamam", "failed", "classify", "the API is down")]


def test_a_task_of_no_source_makes_no_batch(
    task_context: Any, warehouse: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        task_context.record_failed_batch(failure_of("digest"))
    assert rows(warehouse) == []
    assert "digest failed" in caplog.text
