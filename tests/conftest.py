"""Fixtures that the tests of all packages share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.api",
    "tests.fixtures.browser",
    "tests.fixtures.needs",
    "tests.fixtures.order",
    "tests.fixtures.sharing",
    "tests.fixtures.storage",
    "tests.fixtures.trained",
    "tests.fixtures.webhook",
    "tests.fixtures.airflow",  # builds on the others
]

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def pytest_xdist_auto_num_workers() -> int:
    """Workers for `-n auto`: one more than cores, since many tests wait for others; at most 8, as each holds 2 GB."""
    return min(os.cpu_count() or 1, 7) + 1


def find_shared_data() -> Path | None:
    """The folder of real records and photos, or None: it is not part of the project."""
    named = os.environ.get("CUVEE_SHARED_DATA")
    folder = Path(named) if named else PROJECT_ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real records and photos; tests that need them are skipped where they are absent."""
    folder = find_shared_data()
    if folder is None:
        pytest.skip("real data is not at hand: set CUVEE_SHARED_DATA to its folder")
    return folder
