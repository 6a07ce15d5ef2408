from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import requests

from include.errors import ConfigurationError
from include.local.sandbox_process import SandboxProcess
from include.settings import Settings
from tests.fixtures.storage import free_port


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    sandbox = SandboxProcess(Settings(state_dir=tmp_path, sandbox_port=free_port()))
    yield sandbox
    sandbox.stop()


def first_day(sandbox: SandboxProcess) -> str:
    return str(requests.get(f"{sandbox.url}/sandbox/health", timeout=10).json()["first_day"])


def test_it_serves_until_stopped_and_starts_again_only_for_other_days(sandbox: SandboxProcess) -> None:
    sandbox.start(first_day=date(2026, 1, 5), days=2)
    log = sandbox.log.stat().st_ino
    assert first_day(sandbox) == "2026-01-05"
    sandbox.start(first_day=date(2026, 1, 5), days=2)
    assert sandbox.log.stat().st_ino == log
    sandbox.start(first_day=date(2026, 1, 6), days=2)
    assert first_day(sandbox) == "2026-01-06"
    assert sandbox.stop()
    assert not sandbox.is_running()
    with pytest.raises(requests.ConnectionError):
        first_day(sandbox)


def test_a_folder_that_cannot_be_replayed_ends_with_the_sandboxes_own_words(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"(?s)sandbox has ended.*nowhere"):
        sandbox.start(first_day=date(2026, 1, 5), days=2, replay=tmp_path / "nowhere")
    assert not sandbox.is_running()


def test_a_taken_port_is_named_with_its_setting(sandbox: SandboxProcess) -> None:
    port = int(sandbox.url.rsplit(":", 1)[1])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ConfigurationError, match=rf"Port {port}.*CUVEE_SANDBOX_PORT"):
            sandbox.start(first_day=date(2026, 1, 5), days=2)
