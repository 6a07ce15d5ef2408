"""Settings of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose state is the test's own folder, and whose lake is that of the fixture `lake`."""
    return Settings(state_dir=tmp_path)
