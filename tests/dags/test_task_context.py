"""How long a task asks again before a person is called, and how soon Airflow hears that it was skipped."""

from __future__ import annotations

import os
import select
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from include.errors import BatchRejected, NotYetPublished, SourceError
from tests.dags.conftest import DAGS_FOLDER

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def task_context(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(DAGS_FOLDER), *sys.path])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import task_context
    return task_context


def decide(policy: Any, error: Exception, try_number: int) -> str:
    return str(policy.evaluate(error, try_number, 40).action.value)


def test_a_day_that_is_not_yet_published_is_asked_for_again_for_hours(task_context: Any) -> None:
    policy = task_context.PATIENCE["retry_policy"]
    assert decide(policy, NotYetPublished("later"), 30) == "retry"
    assert policy.evaluate(NotYetPublished("later"), 1, 40).retry_delay.total_seconds() == 1800


def test_a_source_that_is_down_is_red_after_as_many_tries_as_any_task(task_context: Any) -> None:
    policy = task_context.PATIENCE["retry_policy"]
    assert decide(policy, SourceError("down"), 2) == "default"
    assert decide(policy, SourceError("down"), 3) == "fail"


def test_what_would_fail_again_is_not_tried_again(task_context: Any) -> None:
    for policy in (task_context.RETRY_POLICY, task_context.PATIENCE["retry_policy"]):
        assert decide(policy, BatchRejected("too many"), 1) == "fail"
    assert decide(task_context.RETRY_POLICY, SourceError("down"), 1) == "default"


def test_the_output_of_a_skipped_task_closes_after_its_process_has_ended(task_context: Any) -> None:
    reading, writing = os.pipe()
    task = os.fork()
    if task == 0:
        os.dup2(writing, 1)
        os.close(writing)
        os.close(reading)
        try:
            task_context.skip("nothing to do")
        except Exception as error:
            os._exit(0 if type(error).__name__ == "AirflowSkipException" else 1)
        os._exit(2)
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        assert os.waitstatus_to_exitcode(os.waitpid(task, 0)[1]) == 0
        assert not select.select([output], [], [], 0)[0], "still open: who waits for the end finds an ended process"
        assert select.select([output], [], [], 10)[0], "and closes a moment later"
        assert output.read() == b""


@pytest.mark.parametrize(
    ("params", "expected"), [({}, False), ({"allow_empty": False}, False), ({"allow_empty": True}, True)]
)
def test_a_day_may_lose_its_products_only_where_the_run_says_so(
    task_context: Any, monkeypatch: pytest.MonkeyPatch, params: dict[str, bool], expected: bool
) -> None:
    monkeypatch.setattr(task_context, "get_current_context", lambda: {"params": params})
    assert task_context.may_be_empty() is expected
