from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.settings import PROJECT_ROOT

# Forks as Airflow does, scheduler → worker → task, and says what the task starts with.
FORKED_TASK = """
import os, sys
from include.pipeline import warm_start

def fork(work):
    child = os.fork()
    if child == 0:
        work()
        sys.stdout.flush()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
STARTS_WARM = """
assert warm_start.warm_start() == []
assert not {"tensorflow", "keras", "airflow"} & set(sys.modules)
import threading
assert threading.active_count() == 1, "threads do not survive a fork"

def task():
    known = set(sys.modules)
    from include.pipeline.daily.publish import publish_day
    from include.pages.rendering import html_environment
    from include.taxonomy import load_taxonomy
    from include.warehouse.loading import load_day
    assert not {name for name in set(sys.modules) - known if name.startswith("include")}
    assert load_taxonomy.cache_info().currsize == 1
    assert len(html_environment().cache) >= 3, "its templates are compiled"

fork(lambda: fork(task))
"""
SEES_THE_CHANGE = """
from pathlib import Path
warm_start.PACKAGES = ()  # quick
assert warm_start.warm_start() == []
import include.errors as before

def change():
    file = Path(before.__file__)
    file.write_text(file.read_text() + "\\nCHANGED = True\\n")

def task():
    from include.errors import CHANGED
    from include.taxonomy import load_taxonomy
    assert load_taxonomy.cache_info().currsize == 0, "read again as well"

def worker():
    change()
    fork(task)

fork(worker)
"""
KEEPS_ITS_CODE = """
from pathlib import Path
warm_start.PACKAGES = ()  # quick
assert warm_start.warm_start() == []
import include.errors as before

def process_of_a_task():
    assert sys.modules["include.errors"] is before

def task():
    file = Path(before.__file__)
    file.write_text(file.read_text() + "\\nCHANGED = True\\n")
    fork(process_of_a_task)

fork(lambda: fork(task))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the code that may be changed."""
    shutil.copytree(PROJECT_ROOT / "include", tmp_path / "include", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(project: Path, code: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", FORKED_TASK + code],
        capture_output=True,
        text=True,
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project)},
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr


def test_a_forked_task_finds_the_steps_the_taxonomy_and_the_templates_ready() -> None:
    run(PROJECT_ROOT, STARTS_WARM)


def test_code_that_was_changed_while_airflow_runs_is_imported_by_the_next_task(project: Path) -> None:
    run(project, SEES_THE_CHANGE)


def test_what_a_task_forks_goes_on_with_the_tasks_code(project: Path) -> None:
    run(project, KEEPS_ITS_CODE)
