"""What tests need is declared, and a test that needs something else is told so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT_ROOT
from tests.fixtures.needs import FILES, NEEDS
from tests.fixtures.order import LONGEST

TESTS = """
import subprocess, sys
import pytest

@pytest.fixture
def postgres_server():
    pass

def run_killed():
    pass

def test_needs_nothing():
    pass

def test_asks_for_a_server(postgres_server):
    pass

def test_kills():
    run_killed()

def test_starts_a_program():
    subprocess.run([sys.executable, "/usr/bin/pg_ctl"])

def test_imports_a_library():
    with pytest.raises(ImportError):
        import keras
"""


def run(folder: Path, *arguments: str) -> str:
    (folder / "test_example.py").write_text(TESTS)
    (folder / "keras.py").write_text("raise ImportError")
    command = [
        sys.executable, "-m", "pytest", "-p", "tests.fixtures.needs", "-p", "no:cacheprovider", "-v",
        "--rootdir", str(folder), *arguments,
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment | {"PYTHONPATH": f"{folder}{os.pathsep}{PROJECT_ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_a_test_that_comes_to_an_undeclared_need_fails_and_quick_leaves_out_the_declared_ones(tmp_path: Path) -> None:
    output = run(tmp_path, "--quick")
    assert "test_needs_nothing PASSED" in output
    assert "2 deselected" in output, output
    assert "this test needs postgres: declare it" in output
    assert "this test needs keras: declare it" in output


def test_markers_are_set_by_fixtures_and_by_functions(tmp_path: Path) -> None:
    assert "1 passed, 4 deselected" in run(tmp_path, "-m", "postgres")
    assert "1 passed, 4 deselected" in run(tmp_path, "-m", "kill")


def test_every_declared_file_is_there() -> None:
    assert [name for name in (*FILES, *LONGEST) if not (PROJECT_ROOT / name).exists()] == []
    assert {need for needs in FILES.values() for need in needs} <= set(NEEDS)
