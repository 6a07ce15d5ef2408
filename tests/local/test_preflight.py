from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local import preflight

SCRIPT = Path(preflight.__file__)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def free_ports() -> dict[str, str]:
    with socket.socket() as a, socket.socket() as b, socket.socket() as c:
        for probe in (a, b, c):
            probe.bind(("127.0.0.1", 0))
        names = [setting for setting, *_ in preflight.PORTS]
        return {name: str(probe.getsockname()[1]) for name, probe in zip(names, (a, b, c), strict=True)}


def run(*checks: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # Isolated and without site packages: nothing is installed when this runs.
    command = [sys.executable, "-I", "-S", str(SCRIPT), *checks]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | environment, timeout=60
    )


def test_a_good_machine_passes_without_any_package(tmp_path: Path, free_ports: dict[str, str]) -> None:
    result = run("start", CUVEE_STATE_DIR=str(tmp_path), **free_ports)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_full_disk_is_reported_with_what_is_needed(tmp_path: Path) -> None:
    [problem] = preflight.disk_problems(tmp_path / "not" / "there", 10**18, "the installation", "move it")
    assert "GB free" in problem
    assert "free some space, or move it" in problem
    assert preflight.disk_problems(tmp_path, 1, "x", "y") == []


def test_a_taken_port_is_reported_with_its_setting(tmp_path: Path, free_ports: dict[str, str], taken_port: int) -> None:
    result = run("start", CUVEE_STATE_DIR=str(tmp_path), **free_ports | {"CUVEE_AIRFLOW_PORT": str(taken_port)})
    assert result.returncode == 1
    assert f"Port {taken_port} is taken" in result.stderr
    assert f"CUVEE_AIRFLOW_PORT={taken_port + 1} make" in result.stderr


@pytest.mark.parametrize(
    ("record", "setting", "content"),
    [
        ("airflow/processes/api-server.json", "CUVEE_AIRFLOW_PORT", json.dumps({"pid": os.getpid()})),
        ("postgres/data/postmaster.pid", "CUVEE_POSTGRES_PORT", f"{os.getpid()}\n/data\n"),
        ("sandbox/sandbox.json", "CUVEE_SANDBOX_PORT", json.dumps({"pid": os.getpid()})),
    ],
    ids=["airflow", "postgres", "sandbox"],  # not the process id: every worker of a test run has another
)
def test_a_port_that_our_own_service_holds_is_no_problem(
    tmp_path: Path, free_ports: dict[str, str], taken_port: int, record: str, setting: str, content: str
) -> None:
    (tmp_path / record).parent.mkdir(parents=True)
    (tmp_path / record).write_text(content)
    assert preflight.port_problems(tmp_path, free_ports | {setting: str(taken_port)}) == []


@pytest.mark.parametrize("value", ["x", "0", "65536", "-1", ""])
def test_nonsense_for_a_port_is_named(tmp_path: Path, free_ports: dict[str, str], value: str) -> None:
    [problem] = preflight.port_problems(tmp_path, free_ports | {"CUVEE_SANDBOX_PORT": value})
    assert problem.startswith(f"CUVEE_SANDBOX_PORT={value} is not a port")


@pytest.mark.parametrize("content", ["", "{}", "{", "x\n", '{"pid": "y"}'])
def test_a_damaged_record_names_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "record").write_text(content)
    assert preflight.recorded_pid(tmp_path / "record") is None


def test_every_setting_of_a_port_has_the_default_of_the_settings() -> None:
    from include.settings import Settings

    for setting, default, _program, _record in preflight.PORTS:
        assert Settings.model_fields[setting.removeprefix("CUVEE_").lower()].default == default
