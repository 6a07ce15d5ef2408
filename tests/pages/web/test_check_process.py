"""The check in a process of its own gives what the command finds, or why it found nothing."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from include.errors import CuveeError
from include.pages.web import check_process
from include.pages.web.check_process import check_platform
from tests.fixtures.storage import free_port


def test_a_warehouse_that_does_not_answer_is_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = free_port()
    monkeypatch.setenv("CUVEE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("CUVEE_WAREHOUSE_URL", f"postgresql+psycopg://cuvee:secret-word@127.0.0.1:{port}/cuvee")
    with pytest.raises(CuveeError, match=f"^The warehouse at 127.0.0.1:{port}/cuvee is not reachable") as caught:
        check_platform()
    assert "secret-word" not in str(caught.value)


def test_what_does_not_hold_is_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = '[{"what": "the alias follows", "problem": "it does not"}, {"what": "no run is open", "problem": ""}]\n'
    answer: Any = subprocess.CompletedProcess([], 1, stdout=printed, stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_more: answer)
    assert check_platform() == ["the alias follows: it does not"]


def test_a_process_that_prints_nothing_is_told_by_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    answer: Any = subprocess.CompletedProcess([], -9, stdout="", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_more: answer)
    with pytest.raises(CuveeError, match="exit code -9"):
        check_platform()


def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_process, "CHECK_SECONDS", 0.01)
    with pytest.raises(CuveeError, match=r"longer than 0\.01 seconds"):
        check_platform()
