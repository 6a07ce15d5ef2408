"""The same day on S3: the lake's address is the only difference."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.pipeline.daily.run_day import run_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.lake import Lake
from tests.fixtures.storage import settings_for
from tests.fixtures.trained import FIRST_DAY, SOURCE
from tests.pipeline.prepared import Prepared
from tests.pipeline.state import lake_state, warehouse_state

DATA_LAYERS = ("products", "quarantine", "images", "embeddings", "labels", "reasons", "references", "staging")


@pytest.fixture
def warehouse_settings(labelled_day: Prepared, tmp_path: Path) -> Settings:
    """The warehouse of the labelled day, its lake beside it."""
    return settings_for(tmp_path / "state", labelled_day.copy(tmp_path / "lake"))


def test_a_day_on_s3_leaves_the_same_files_and_rows_as_on_a_local_disk_also_when_run_twice(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine, s3_lake: Lake
) -> None:
    local = lake_state(lake, DATA_LAYERS), warehouse_state(warehouse)

    remote = settings.model_copy(update={"lake_url": s3_lake.root})
    run_day(SOURCE, FIRST_DAY, remote, connection)
    assert (lake_state(s3_lake, DATA_LAYERS), warehouse_state(warehouse)) == local
    run_day(SOURCE, FIRST_DAY, remote, connection)
    assert (lake_state(s3_lake, DATA_LAYERS), warehouse_state(warehouse)) == local
