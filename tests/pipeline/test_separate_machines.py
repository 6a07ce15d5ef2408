"""Tasks share the lake, the warehouse and the registry's store, and nothing of their state folders."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.pipeline.daily.classify import classify
from include.pipeline.daily.embed import embed_images, embed_text
from include.pipeline.daily.fetch import fetch_day
from include.pipeline.daily.publish import publish_day
from include.pipeline.daily.shards import plan_shards
from include.pipeline.daily.validate import validate_day
from include.pipeline.relabelling.plan import pin_version, plan_relabelling
from include.pipeline.relabelling.relabel import finish_relabelling, relabel_shard
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from tests.fixtures.trained import FIRST_DAY, SOURCE
from tests.pipeline.prepared import Prepared
from tests.pipeline.relabelling.known_catalogue import final_state, relabel, versions_settings
from tests.pipeline.state import differences, lake_state, warehouse_state

ROWS = ("landing", "products", "quarantine", "images", "embeddings", "readings", "labels", "staging")
"""Layers that hold no address of the lake, which pages name."""


@pytest.fixture
def on_another_machine(tmp_path: Path) -> Callable[[Callable[[Settings], Any], Settings], Any]:
    """A function that calls a step with an empty state folder, and the shared places of `settings`.

    What the step returns is what a task would hand to the next; the folder is removed when the step ends.
    """
    numbers = count(1)

    def call(step: Callable[[Settings], Any], settings: Settings) -> Any:
        folder = tmp_path / f"machine-{next(numbers)}"
        folder.mkdir()
        shared = {"lake_url": settings.lake_root, "mlflow_tracking_uri": settings.tracking_uri}
        try:
            return step(settings.model_copy(update={"state_dir": folder, **shared}))
        finally:
            shutil.rmtree(folder)

    return call


def test_a_day_whose_steps_share_no_state_folder_leaves_the_same_rows(
    settings: Settings,
    lake: Lake,
    warehouse: Engine,
    connection: SourceConnection,
    labelled_day: Prepared,
    tmp_path: Path,
    on_another_machine: Callable[[Callable[[Settings], Any], Settings], Any],
) -> None:
    def run(step: Callable[[Settings], Any]) -> Any:
        return on_another_machine(step, settings)

    fetched = run(lambda here: fetch_day(Batch(SOURCE, FIRST_DAY), here, connection))
    validated = run(lambda here: validate_day(Batch(SOURCE, FIRST_DAY), here))
    shards = run(lambda here: plan_shards(Batch(SOURCE, FIRST_DAY), here))
    for shard in shards:
        run(lambda here, shard=shard: embed_text(shard, here))
        run(lambda here, shard=shard: embed_images(shard, here, allow_private_hosts=True))
        run(lambda here, shard=shard: classify(shard, here))
    steps = {"fetch": fetched, "validate": validated}
    run(lambda here: publish_day(Batch(SOURCE, FIRST_DAY), here, earlier_steps=steps))

    assert len(shards) > 1
    url = labelled_day.copy(tmp_path / "of one folder")
    with open_engine(url) as engine:
        assert differences(warehouse_state(warehouse), warehouse_state(engine)) == []
    assert lake_state(lake, ROWS) == lake_state(Lake(str(tmp_path / "of one folder")), ROWS)


def test_a_relabelling_whose_steps_share_no_state_folder_leaves_the_same_rows(
    labelled_by_first: Prepared,
    two_versions: Path,
    tmp_path: Path,
    on_another_machine: Callable[[Callable[[Settings], Any], Settings], Any],
) -> None:
    def settings_of(name: str) -> Settings:
        lake = tmp_path / name / "lake"
        return versions_settings(two_versions, lake, labelled_by_first.copy(lake))

    one, several = settings_of("one"), settings_of("several")
    relabel(one, "2")
    model = on_another_machine(lambda here: pin_version(here, "2"), several)
    shards = on_another_machine(lambda here: plan_relabelling(model, here), several)
    for shard in shards:
        on_another_machine(lambda here, shard=shard: relabel_shard(shard, here), several)
    on_another_machine(lambda here: finish_relabelling(model, here), several)

    assert len(shards) > 1
    with open_engine(one.warehouse_dsn) as expected, open_engine(several.warehouse_dsn) as found:
        assert final_state(several, found)[:2] == final_state(one, expected)[:2]
