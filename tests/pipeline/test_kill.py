"""A process that is killed in any step leaves nothing that the next run does not put right."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.pipeline.run_day import run_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.warehouse.engine import open_engine
from include.warehouse.lake import Lake
from tests.conftest import PROJECT_ROOT
from tests.fixtures.trained import FIRST_DAY, SOURCE
from tests.pipeline.conftest import day_settings
from tests.pipeline.killed_step import run_step
from tests.pipeline.state import lake_state, warehouse_state

STEPS = ("fetch", "validate", "embed_text", "embed_images", "classify", "publish")

RENAME = "pathlib:Path.replace"
WRITE_TABLE = "pyarrow.parquet:ParquetWriter.write_table"
KILLS = [
    ("fetch", "include.sources.landing:Landing.complete", 1),
    ("fetch", RENAME, 1),
    ("validate", WRITE_TABLE, 1),
    ("validate", WRITE_TABLE, 2),
    ("validate", "include.warehouse.lake:Lake.replace", 1),
    ("validate", "include.warehouse.lake:Lake.replace", 2),
    ("embed_text", "include.features.cache:EmbeddingCache.put", 1),
    ("embed_text", RENAME, 2),
    ("embed_images", "include.sources.photos:fetch_photos", 2),
    ("embed_images", RENAME, 1),
    ("embed_images", RENAME, 2),
    ("classify", "include.warehouse.lake:Lake.write_parquet", 2),
    ("classify", RENAME, 1),
    ("classify", RENAME, 2),
    ("publish", WRITE_TABLE, 2),
    ("publish", RENAME, 1),
    ("publish", "include.pipeline.watch:write_drift_report", 1),
    ("publish", "include.quality.drift_report:write_overview", 1),
    ("publish", "psycopg:Connection.commit", 1),
    ("publish", "psycopg:Connection.commit", 2),
    ("publish", "include.warehouse.lake:Lake.delete", 1),
]


def settings_json(settings: Settings) -> str:
    given = {
        "state_dir": str(settings.state_dir),
        "lake_url": settings.lake_url,
        "warehouse_url": settings.warehouse_url.get_secret_value(),
        "shard_size": settings.shard_size,
    }
    return json.dumps(given)


@pytest.fixture(scope="module")
def untouched(
    model_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
    make_database: Callable[[], str],
    connection: SourceConnection,
) -> tuple[object, object]:
    """The final state of a day that nobody killed."""
    settings = day_settings(model_home, tmp_path_factory.mktemp("untouched") / "lake", make_database())
    run_day(SOURCE, FIRST_DAY, settings, connection)
    with open_engine(settings) as engine:
        return lake_state(Lake(settings.lake_root)), warehouse_state(engine)


@pytest.mark.parametrize(
    ("step", "target", "nth"), KILLS, ids=[f"{step}-{t.split('.')[-1]}-{n}" for step, t, n in KILLS]
)
def test_a_day_killed_in_a_step_and_run_again_ends_as_if_it_had_not_been(
    step: str,
    target: str,
    nth: int,
    settings: Settings,
    lake: Lake,
    connection: SourceConnection,
    warehouse: Engine,
    untouched: tuple[object, object],
) -> None:
    for earlier in STEPS[: STEPS.index(step)]:
        run_step(earlier, settings, connection, FIRST_DAY)
    arguments = [step, settings_json(settings), json.dumps(asdict(connection)), FIRST_DAY.isoformat(), target, str(nth)]
    killed = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.killed_step", *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]

    run_day(SOURCE, FIRST_DAY, settings, connection)
    assert (lake_state(lake), warehouse_state(warehouse)) == untouched
