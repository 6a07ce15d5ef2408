"""Long-running programs that outlive the command that started them, and how they are found again.

A program is known by a small record beside its log: process id, start time and executable. A record
never identifies a foreign process: the id of a dead process may be reused by now, so all three must agree.

    program = BackgroundProgram("scheduler", folder)
    program.start([sys.executable, "-m", "airflow", "scheduler"], environment)
    program.is_running()
    program.stop()      # the program and everything it started, nothing else
"""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from include.errors import ConfigurationError
from include.storage.local_files import write_file

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
START_TIME_TOLERANCE = 2.0
"""Seconds: the system derives a start time from the boot time, which moves a little when the clock is set."""


@dataclass(frozen=True)
class ProcessRecord:
    """What is written when a program starts: `started` in Unix seconds, `executable` with links resolved."""

    pid: int
    started: float
    executable: str


class BackgroundProgram:
    """One named program of a state folder, with its record `<name>.json` and its log `<name>.log`."""

    def __init__(self, name: str, folder: Path) -> None:
        """Describe the program; nothing is touched yet."""
        self.name = name
        self.log = folder / f"{name}.log"
        self._record_file = folder / f"{name}.json"

    def start(self, command: Sequence[str], environment: Mapping[str, str], working_folder: Path) -> None:
        """Start `command` in a session of its own, so that closing the terminal does not end it.

        Does nothing if the program runs. What a killed predecessor left running is ended first; its log is
        kept as `<name>.log.1`.
        """
        if self.is_running():
            return
        self.stop()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb") as output:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=working_folder,
                env=dict(environment),
                start_new_session=True,
            )
        process.returncode = 0  # it is meant to outlive this object, which would complain when collected
        started = psutil.Process(process.pid).create_time()
        record = ProcessRecord(process.pid, started, str(Path(command[0]).resolve()))
        write_file(self._record_file, json.dumps(asdict(record)))
        logger.debug("started %s as process %d", self.name, process.pid)

    def is_running(self) -> bool:
        """Whether the process that this folder's record names is alive."""
        return self.process() is not None

    def process(self) -> psutil.Process | None:
        """The live process of the record, or None; a process that merely has the same id does not count."""
        record = self._record()
        if record is None:
            return None
        try:
            process = psutil.Process(record.pid)
            _reap(process)
            if abs(process.create_time() - record.started) > START_TIME_TOLERANCE or not _is_alive(process):
                return None
            return process if process.exe() == record.executable else None
        except psutil.Error:
            return None

    def stop(self, timeout_seconds: float = 12.0) -> bool:
        """Ask the program to end, then what it started, and kill what is left; True if anything ran.

        What a killed program left behind is found as well, because it shares its session, and killed at once.
        """
        leader = self.process()
        processes = self._family(leader)
        if leader is not None:
            _end([leader], timeout_seconds)
            # What it has not ended itself by now
            _end([process for process in {*processes, *self._family(None)} if _is_alive(process)], 2.0)
        survivors = [process for process in {*processes, *self._family(None)} if _is_alive(process)]
        for process in survivors:
            with suppress(psutil.Error):
                process.kill()
        _wait_for_end(survivors, 5.0)
        if processes:
            logger.debug("stopped %s: %d processes, %d of them killed", self.name, len(processes), len(survivors))
        self._record_file.unlink(missing_ok=True)
        return bool(processes)

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the log, for an error message; empty if there is none."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as stream:
            stream.seek(max(0, self.log.stat().st_size - 64 * 1024))
            return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])

    def _record(self) -> ProcessRecord | None:
        try:
            return ProcessRecord(**json.loads(self._record_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _family(self, leader: psutil.Process | None) -> list[psutil.Process]:
        """The program, if it lives, its descendants, and what it left behind: members of its session."""
        record = self._record()
        if record is None or (leader is None and _has_other_owner(record)):
            return []  # a session of that number may be somebody else's as well
        family = [] if leader is None else [leader, *_children(leader)]
        known = {process.pid for process in family}
        return family + [p for p in psutil.process_iter() if p.pid not in known and _belongs_to(p, record)]


def require_free_port(port: int, setting: str, program: str) -> None:
    """Raise ConfigurationError if `port` of 127.0.0.1 is taken, naming who has it where that can be seen."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            holder = port_holder(port) if error.errno == errno.EADDRINUSE else "the system: a reserved port"
            raise ConfigurationError(
                f"Port {port}, which {program} needs, is taken by {holder}: end that, "
                f"or set {setting} to a free port, e.g. {setting}={port + 1}."
            ) from error


def port_holder(port: int) -> str:
    """Who listens on a local port, e.g. `process 4711 (nginx)`; other users' processes cannot be seen."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another program"


def wait_until(condition: Callable[[], bool], timeout_seconds: float, pause_seconds: float = 0.1) -> bool:
    """Ask again and again until `condition` holds; False if it did not within the time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_seconds)
    return True


def _has_other_owner(record: ProcessRecord) -> bool:
    try:
        return bool(abs(psutil.Process(record.pid).create_time() - record.started) > START_TIME_TOLERANCE)
    except psutil.Error:
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _belongs_to(process: psutil.Process, record: ProcessRecord) -> bool:
    try:
        return bool(
            os.getsid(process.pid) == record.pid
            and process.create_time() >= record.started - START_TIME_TOLERANCE
            and process.exe() == record.executable
        )
    except (psutil.Error, OSError):
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _reap(process: psutil.Process) -> None:
    """Collect the exit code if the process was started by this one and is dead; otherwise it stays a zombie."""
    with suppress(psutil.Error, ChildProcessError):
        if process.status() == psutil.STATUS_ZOMBIE:
            os.waitpid(process.pid, os.WNOHANG)


def _end(processes: Sequence[psutil.Process], timeout_seconds: float) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    _wait_for_end(processes, timeout_seconds)


def _wait_for_end(processes: Sequence[psutil.Process], timeout_seconds: float) -> None:
    """Wait without counting zombies: in a container they may never be reaped, and psutil waits for that."""
    wait_until(lambda: not any(_is_alive(process) for process in processes), timeout_seconds, pause_seconds=0.05)
