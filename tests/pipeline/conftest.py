"""The trained model with an empty lake and an empty warehouse for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from include.settings import Settings
from include.warehouse.lake import Lake


def day_settings(model_home: Path, lake: Path, warehouse_url: str) -> Settings:
    """Settings of the day's tests; the shards are small, so that a day has several."""
    return Settings(state_dir=model_home, lake_url=str(lake), warehouse_url=SecretStr(warehouse_url), shard_size=40)


@pytest.fixture
def settings(model_home: Path, tmp_path: Path, warehouse_settings: Settings) -> Settings:
    return day_settings(model_home, tmp_path / "lake", warehouse_settings.warehouse_url.get_secret_value())


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake_root)
