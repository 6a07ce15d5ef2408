"""A process that is killed in any step leaves nothing that the next run does not put right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.pipeline.daily.classify import classify
from include.pipeline.daily.embed import embed_images, embed_text
from include.pipeline.daily.fetch import fetch_day
from include.pipeline.daily.publish import publish_day
from include.pipeline.daily.run_day import run_day
from include.pipeline.daily.shards import plan_shards
from include.pipeline.daily.validate import validate_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.engine import open_engine
from tests.fixtures.killing import KILLED, run_killed
from tests.fixtures.trained import FIRST_DAY, SOURCE
from tests.pipeline.conftest import day_settings
from tests.pipeline.prepared import Prepared
from tests.pipeline.state import lake_state, warehouse_state

STEPS = ("fetch", "validate", "embed_text", "embed_images", "classify", "publish")

RENAME = "pathlib:Path.replace"
WRITE_TABLE = "pyarrow.parquet:ParquetWriter.write_table"
KILLS = [
    ("fetch", "include.sources.landing:Landing.complete", 1),
    ("fetch", RENAME, 1),
    ("validate", WRITE_TABLE, 1),
    ("validate", WRITE_TABLE, 2),
    ("validate", "include.storage.lake:Lake.replace", 1),
    ("validate", "include.storage.lake:Lake.replace", 2),
    ("embed_text", "include.features.cache:EmbeddingCache.put", 1),
    ("embed_text", RENAME, 2),
    ("embed_images", "include.sources.photos:normalise_photo", 9),
    ("embed_images", RENAME, 1),
    ("embed_images", RENAME, 2),
    ("classify", "include.storage.lake:Lake.write_parquet", 2),
    ("classify", "include.storage.lake:Lake.write_parquet", 3),
    ("classify", RENAME, 1),
    ("classify", RENAME, 2),
    ("classify", RENAME, 3),
    ("publish", WRITE_TABLE, 2),
    ("publish", "include.pipeline.daily.publish:put_reasons_in_place", 1),
    ("publish", "include.pipeline.daily.reasons:write_sorted", 1),
    ("publish", RENAME, 1),
    ("publish", RENAME, 2),
    ("publish", "include.pipeline.daily.drift:write_drift_report", 1),
    ("publish", "include.pages.drift_report:write_overview", 1),
    ("publish", "psycopg:Connection.commit", 1),
    ("publish", "psycopg:Connection.commit", 2),
    ("publish", "include.storage.lake:Lake.delete", 1),
    ("publish", "include.storage.lake:Lake.delete", 2),
]

CLEARING = [
    ("include.pipeline.daily.publish:clear_staged_labels", 1),
    ("include.storage.lake:Lake.delete", 1),
    ("include.storage.lake:Lake.delete", 2),
    ("include.storage.lake:Lake.delete", 3),
    ("os:unlink", 1),
    ("os:unlink", 2),
    ("os:unlink", 3),
    ("os:rmdir", 1),
]
"""Where `publish` removes what was staged, when all is published."""


def run_step(step: str, settings: Settings, connection: SourceConnection, day: date) -> None:
    """Run one step over the whole day."""
    if step == "fetch":
        fetch_day(Batch(SOURCE, day), settings, connection)
    elif step == "validate":
        validate_day(Batch(SOURCE, day), settings)
    elif step == "publish":
        publish_day(Batch(SOURCE, day), settings)
    else:
        per_shard: dict[str, Callable[[Any], object]] = {
            "embed_text": lambda shard: embed_text(shard, settings),
            "embed_images": lambda shard: embed_images(shard, settings, allow_private_hosts=True),
            "classify": lambda shard: classify(shard, settings),
        }
        for shard in plan_shards(Batch(SOURCE, day), settings):
            per_shard[step](shard)


@pytest.fixture(scope="module")
def untouched(
    labelled_day: Prepared, model_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[object, object]:
    """The final state of a day that nobody killed."""
    lake = tmp_path_factory.mktemp("untouched") / "lake"
    settings = day_settings(model_home, lake, labelled_day.copy(lake))
    with open_engine(settings.warehouse_dsn) as engine:
        return lake_state(Lake(settings.lake_root)), warehouse_state(engine)


@pytest.fixture(scope="module")
def before_steps(
    model_home: Path,
    tmp_path_factory: pytest.TempPathFactory,
    make_database: Callable[[], str],
    connection: SourceConnection,
) -> dict[str, Path]:
    """The lake as each step finds it; the warehouse is empty until the last one."""
    folder = tmp_path_factory.mktemp("before")
    settings = day_settings(model_home, folder / "lake", make_database())
    Path(settings.lake_root).mkdir()
    found = {}
    for step in STEPS:
        found[step] = folder / step
        shutil.copytree(settings.lake_root, found[step])
        if step != STEPS[-1]:
            run_step(step, settings, connection, FIRST_DAY)
    return found


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
    before_steps: dict[str, Path],
) -> None:
    shutil.copytree(before_steps[step], settings.lake_root)
    assert run_killed(target, nth, run_step, step, settings, connection, FIRST_DAY) == KILLED

    run_day(SOURCE, FIRST_DAY, settings, connection)
    assert (lake_state(lake), warehouse_state(warehouse)) == untouched


@pytest.mark.parametrize(
    ("target", "nth"), CLEARING, ids=[f"{target.split('.')[-1].split(':')[-1]}-{nth}" for target, nth in CLEARING]
)
def test_publish_killed_while_it_clears_what_was_staged_is_retried_alone(
    target: str,
    nth: int,
    settings: Settings,
    lake: Lake,
    connection: SourceConnection,
    warehouse: Engine,
    before_steps: dict[str, Path],
) -> None:
    shutil.copytree(before_steps["publish"], settings.lake_root)
    assert len(plan_shards(Batch(SOURCE, FIRST_DAY), settings)) > 2
    assert run_killed(target, nth, run_step, "publish", settings, connection, FIRST_DAY) == KILLED
    staged = [Batch(SOURCE, FIRST_DAY).staged_folder(layer) for layer in (Layer.LABELS, Layer.REASONS)]
    assert any(map(lake.exists, staged))
    reasons = lake_state(lake, ("reasons",))
    published = warehouse_state(warehouse)

    for _ in range(2):
        run_step("publish", settings, connection, FIRST_DAY)
        assert warehouse_state(warehouse) == published
        assert lake_state(lake, ("reasons",)) == reasons != {}
        assert not any(map(lake.exists, staged))
