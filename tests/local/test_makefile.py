"""The Makefile as a person meets it; installing is left to the machine that runs these tests."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[2]
DEVELOPING = {"test", "lint", "format", "bench", "evaluate", "faults", "setup"}
TARGETS = {"help", "demo", "up", "down", "status", "clean"} | DEVELOPING

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=kept | environment,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that make needs before anything is installed."""
    folder = tmp_path / "a checkout"
    (folder / "include" / "local").mkdir(parents=True)
    for name in ("Makefile", "include/local/preflight.py", "include/local/install.py", "include/local/clean.py"):
        shutil.copy(PROJECT_ROOT / name, folder / name)
    for name in ("include/__init__.py", "include/local/__init__.py"):
        (folder / name).touch()
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("no-such-package-for-this-test==9.9.9\n")
    return folder


def test_make_alone_lists_every_target() -> None:
    result = make(PROJECT_ROOT)
    listed = {line.split()[1] for line in result.stdout.splitlines() if line.startswith("  make ")}
    assert listed == TARGETS


def test_without_python_the_message_says_what_to_install(checkout: Path) -> None:
    result = make(checkout, "up", "PYTHON=")
    assert result.returncode != 0
    assert "apt install python3.11 python3.11-venv" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_wrong_python_stops_before_anything_is_installed(checkout: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 2); del sys.argv[0]; runpy.run_path(sys.argv[0], {}, '__main__')"
    )
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretend}" "$@"\n')
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    result = make(checkout, "setup", f"PYTHON={old}")
    assert result.returncode != 0
    assert "Python 3.11 is needed, this is 3.9.2" in result.stderr
    assert not (checkout / ".venv").exists()


def test_down_and_clean_work_where_nothing_was_ever_installed(checkout: Path) -> None:
    assert make(checkout, "down").stdout.strip() == "not installed, so nothing runs"
    (checkout / ".cuvee" / "lake").mkdir(parents=True)
    assert make(checkout, "clean", f"PYTHON={sys.executable}", CUVEE_STATE_DIR="").returncode == 0
    assert not (checkout / ".cuvee").exists()
    assert (checkout / "Makefile").exists()


def test_a_package_that_cannot_be_had_ends_with_what_to_check(checkout: Path) -> None:
    # No index answers, as on a machine without a connection.
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    result = make(checkout, "setup", f"PYTHON={sys.executable}", **offline)
    assert result.returncode != 0
    assert "could not be installed; the reason stands above" in result.stderr
    assert "HTTPS_PROXY" in result.stderr
    assert not (checkout / ".venv" / ".installed").exists()


def test_replay_reaches_the_command_as_one_argument(checkout: Path) -> None:
    result = make(checkout, "--dry-run", "demo", "REPLAY=../real data", f"PYTHON={sys.executable}")
    assert '.venv/bin/python -m include demo --replay "../real data"' in result.stdout
    assert "--replay" not in make(checkout, "--dry-run", "demo", f"PYTHON={sys.executable}").stdout
