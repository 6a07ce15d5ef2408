"""A task's failure is written to the batch that it belongs to, and to none where it belongs to none."""

from __future__ import annotations

import logging
import sys
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

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


def test_a_day_that_was_refused_makes_no_batch(
    task_context: Any, warehouse: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    from include.errors import DayRefused

    with caplog.at_level(logging.ERROR):
        task_context.record_failed_batch(
            failure_of("edamam.fetch") | {"exception": DayRefused("2099-01-01 has not begun yet")}
        )
    assert rows(warehouse) == []
    assert "edamam.fetch failed: 2099-01-01 has not begun yet; next: run another day" in caplog.text


def test_the_last_line_is_told_without_secrets_and_even_where_the_warehouse_is_down(
    task_context: Any, warehouse_settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    down = warehouse_settings.model_copy(update={"warehouse_url": SecretStr("postgresql+psycopg://a:b@127.0.0.1:9/c")})
    monkeypatch.setattr(task_context, "load_settings", lambda: down)
    with caplog.at_level(logging.ERROR):
        task_context.record_failed_batch(
            failure_of("edamam.fetch")
            | {"exception": RuntimeError("https://x.example/?app_key=hidden\x1b[31m is down")}
        )
    last = caplog.records[-1].getMessage()
    assert last.startswith("edamam.fetch failed: https://x.example/?app_key=REDACTED")
    assert "hidden" not in last
    assert "\x1b" not in last


def test_a_task_of_no_source_makes_no_batch(
    task_context: Any, warehouse: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        task_context.record_failed_batch(failure_of("digest"))
    assert rows(warehouse) == []
    assert "digest failed" in caplog.text
