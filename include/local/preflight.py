"""Checks before anything is installed or started: disk and ports, and what to do where they are taken.

Runs with any Python 3.7 or later and without a single package: `python3 include/local/preflight.py install start`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Mapping, Sequence  # noqa: UP035  # collections.abc cannot be subscripted by old versions

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
INSTALL_BYTES = 6 * 1000**3
STATE_BYTES = 1 * 1000**3
PORTS = (
    ("CUVEE_AIRFLOW_PORT", 8080, "the Airflow UI", "airflow/processes/api-server.json"),
    ("CUVEE_POSTGRES_PORT", 5433, "the embedded PostgreSQL", "postgres/data/postmaster.pid"),
    ("CUVEE_SANDBOX_PORT", 8099, "the sandbox food APIs", "sandbox/sandbox.json"),
)
"""Setting, default, who listens there, and the record that says that the listener is ours."""


def disk_problems(folder: Path, needed: int, what: str, advice: str) -> list[str]:
    """Whether the disk that will hold `folder` has `needed` bytes left, and lets us write."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    if not os.access(str(existing), os.W_OK):
        return [f"{existing} cannot be written, but {what} goes there: {advice}"]
    free = shutil.disk_usage(str(existing)).free
    if free >= needed:
        return []
    return [
        f"The disk of {existing} has {free / 1e9:.1f} GB free; {what} needs {needed / 1e9:.0f} GB: "
        f"free some space, or {advice}"
    ]


def port_problems(state: Path, environment: Mapping[str, str]) -> list[str]:
    """Whether the ports are free or held by the services that this state folder has started itself."""
    problems = []
    for setting, default, program, record in PORTS:
        value = environment.get(setting, str(default))
        if not value.isdigit() or not 0 < int(value) < 65536:
            problems.append(f"{setting}={value} is not a port: use a number from 1 to 65535")
            continue
        if is_alive(recorded_pid(state / record)):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", int(value)))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                problems.append(
                    f"Port {value} is taken by another program, but {program} needs it: end that program, "
                    f"or use a free port, e.g. {setting}={int(value) + 1} make ..."
                )
    return problems


def recorded_pid(record: Path) -> int | None:
    """The process id in a record of ours (JSON) or of PostgreSQL (first line); None if there is none."""
    try:
        text = record.read_text()
        return int(json.loads(text)["pid"] if text.startswith("{") else text.splitlines()[0])
    except (OSError, ValueError, KeyError, IndexError):
        return None


def is_alive(pid: int | None) -> bool:
    """Whether a process of that id exists, whoever owns it."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def state_folder(environment: Mapping[str, str]) -> Path:
    """The folder of all local state."""
    return Path(environment.get("CUVEE_STATE_DIR") or PROJECT_ROOT / ".cuvee").expanduser().resolve()


def main(arguments: Sequence[str]) -> int:
    """Run the checks named `install` and `start`; prints each problem and returns 1 if there is one."""
    problems = []
    if "install" in arguments:
        problems += disk_problems(PROJECT_ROOT / ".venv", INSTALL_BYTES, "the installation", "move the checkout")
    if "start" in arguments:
        state = state_folder(os.environ)
        problems += disk_problems(state, STATE_BYTES, "the state of the platform", "set CUVEE_STATE_DIR")
        problems += port_problems(state, os.environ)
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
