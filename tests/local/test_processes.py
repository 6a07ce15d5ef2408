from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from include.errors import ConfigurationError
from include.local.processes import BackgroundProgram, require_free_port, wait_until

# Ignores the polite signal, and so does its child, as a process that hangs does.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
print("ready" if child else "child", flush=True)
while True:
    time.sleep(1)
"""
PATIENT = "import time; print('ready', flush=True); time.sleep(600)"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[BackgroundProgram]:
    program = BackgroundProgram("worker", tmp_path)
    yield program
    program.stop(0.1)


def start(program: BackgroundProgram, code: str, folder: Path) -> int:
    program.start([sys.executable, "-c", code], os.environ, folder)
    assert wait_until(lambda: "ready" in program.log_tail(), 20)
    process = program.process()
    assert process is not None
    return int(process.pid)


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_another_object_finds_and_stops_the_program(program: BackgroundProgram, tmp_path: Path) -> None:
    pid = start(program, PATIENT, tmp_path)
    other = BackgroundProgram("worker", tmp_path)
    assert other.is_running()
    assert other.stop()
    assert not is_alive(pid)
    assert not program.is_running()


def test_starting_twice_keeps_the_first_process(program: BackgroundProgram, tmp_path: Path) -> None:
    pid = start(program, PATIENT, tmp_path)
    assert start(program, PATIENT, tmp_path) == pid


def test_stopping_ends_children_that_ignore_the_signal(program: BackgroundProgram, tmp_path: Path) -> None:
    pid = start(program, STUBBORN, tmp_path)
    children = [child.pid for child in psutil.Process(pid).children()]
    assert children
    program.stop(0.2)
    assert not any(is_alive(p) for p in [pid, *children])


def test_what_a_killed_program_leaves_is_ended_by_the_next_start(program: BackgroundProgram, tmp_path: Path) -> None:
    pid = start(program, STUBBORN, tmp_path)
    orphans = [child.pid for child in psutil.Process(pid).children()]
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not program.is_running(), 10)
    assert all(is_alive(orphan) for orphan in orphans)
    start(program, PATIENT, tmp_path)
    assert not any(is_alive(orphan) for orphan in orphans)


@pytest.mark.parametrize("changed", [{"started": 1.0}, {"executable": "/usr/bin/other"}])
def test_a_stranger_with_the_recorded_number_is_left_alone(
    program: BackgroundProgram, tmp_path: Path, changed: dict[str, object]
) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", PATIENT], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        process = psutil.Process(stranger.pid)
        record = {"pid": stranger.pid, "started": process.create_time(), "executable": process.exe()} | changed
        (tmp_path / "worker.json").write_text(json.dumps(record))
        assert not program.is_running()
        assert not program.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "started": null, "executable": 3, "y": 1}']
)
def test_a_damaged_record_counts_as_nothing_running(program: BackgroundProgram, tmp_path: Path, content: str) -> None:
    (tmp_path / "worker.json").write_text(content)
    assert not program.is_running()
    assert not program.stop()
    assert not (tmp_path / "worker.json").exists()


def test_the_log_of_the_run_before_is_kept(program: BackgroundProgram, tmp_path: Path) -> None:
    start(program, PATIENT, tmp_path)
    program.stop(0.1)
    start(program, PATIENT, tmp_path)
    assert (tmp_path / "worker.log.1").read_text() == "ready\n"


def test_a_taken_port_is_named_with_its_setting_and_holder() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"Port {port}, .*process {os.getpid()} .*CUVEE_AIRFLOW_PORT"):
            require_free_port(port, "CUVEE_AIRFLOW_PORT", "the Airflow UI")
    require_free_port(port, "CUVEE_AIRFLOW_PORT", "the Airflow UI")
