"""A lake and settings of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.settings import Settings
from include.warehouse.lake import Lake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose state is the test's own folder."""
    return Settings(state_dir=tmp_path / "state")


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """The lake of these settings."""
    return Lake(settings.lake_root)
