"""The drift of a day goes to `batches` and to its page, the same in every run, and away when there is none."""

from __future__ import annotations

import gzip
import io
import json
import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select

from include.models.monitoring.reference_profile import PROFILE_FILE
from include.models.version.registry import Registry
from include.pages.drift_report import drift_folder
from include.pipeline.daily.classify import classify
from include.pipeline.daily.embed import embed_images, embed_text
from include.pipeline.daily.publish import publish_day
from include.pipeline.daily.run_day import run_day
from include.pipeline.daily.shards import Shard, plan_shards
from include.pipeline.model_versions import load_version
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.warehouse.batches import record_failure
from include.warehouse.tables import batches
from tests.fixtures.storage import settings_for
from tests.fixtures.trained import FIRST_DAY, SECOND_DAY, SOURCE
from tests.pipeline.prepared import Prepared
from tests.pipeline.state import lake_state, warehouse_state

FOLDER = drift_folder(Batch(SOURCE, FIRST_DAY))


def batch_of(engine: Engine, source: str = SOURCE, day: date = FIRST_DAY) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(batches).where(batches.c.source == source, batches.c.day == day)).one()


@pytest.fixture
def warehouse_settings(labelled_day: Prepared, tmp_path: Path) -> Settings:
    """The warehouse of the labelled day, its lake beside it."""
    return settings_for(tmp_path / "state", labelled_day.copy(tmp_path / "lake"))


@pytest.fixture
def alert(settings: Settings) -> Settings:
    """Settings under which the drawn feed drifts: the model was trained on another source."""
    return settings.model_copy(update={"drift_min_products": 10, "drift_label_mix": 0.05})


def test_a_day_stores_its_figures_and_shows_them(
    alert: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    summary = run_day(SOURCE, SECOND_DAY, alert, connection)
    stored = batch_of(warehouse, day=SECOND_DAY)
    assert {"label_mix", "confidence", "text_embedding", "photo_embedding", "missing_photos", "reviewed"} == set(
        stored.drift
    )
    assert stored.drift["reviewed"]["batch"] == pytest.approx(stored.reviewed / stored.labelled, abs=1e-4)
    assert stored.drift["missing_photos"]["batch"] == pytest.approx(1 - stored.photos["ok"] / stored.labelled, abs=1e-4)
    assert stored.drift["label_mix"]["verdict"] == "beyond"
    assert summary["warnings"] == len(stored.warnings) >= 1
    assert "hardly any of this source" in stored.warnings[0]
    page = lake.read_bytes(f"{drift_folder(Batch(SOURCE, SECOND_DAY))}/index.html").decode()
    assert "! beyond" in page
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    for warning in stored.warnings:
        assert any(warning in line for line in told)


def test_running_the_day_again_or_publishing_it_again_changes_nothing(
    alert: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    run_day(SOURCE, FIRST_DAY, alert, connection)
    before = lake_state(lake), warehouse_state(warehouse)
    assert publish_day(Batch(SOURCE, FIRST_DAY), alert)["warnings"] > 0
    assert (lake_state(lake), warehouse_state(warehouse)) == before
    run_day(SOURCE, FIRST_DAY, alert, connection)
    assert (lake_state(lake), warehouse_state(warehouse)) == before


def test_the_number_of_shards_does_not_matter(
    alert: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    assert len(plan_shards(Batch(SOURCE, FIRST_DAY), alert)) > 1
    several = batch_of(warehouse).drift
    whole = alert.model_copy(update={"shard_size": 5_000})
    run_day(SOURCE, FIRST_DAY, whole, connection)
    assert len(plan_shards(Batch(SOURCE, FIRST_DAY), whole)) == 1
    for name, figure in batch_of(warehouse).drift.items():
        assert figure["value"] == pytest.approx(several[name]["value"], abs=2e-4), name


def test_a_failed_run_leaves_the_figures_of_the_day(
    alert: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
    publish_day(Batch(SOURCE, FIRST_DAY), alert)
    before = batch_of(warehouse)
    record_failure(warehouse, SOURCE, FIRST_DAY, "fetch", "the API is down")
    after = batch_of(warehouse)
    assert (after.status, after.drift, after.warnings) == ("failed", before.drift, before.warnings)


def test_a_day_that_became_empty_has_no_figures_and_no_page(
    alert: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    run_day(SOURCE, FIRST_DAY, alert, connection)
    (landed,) = (path for path in lake.list_files("landing") if path.endswith(".json.gz"))
    lake.write_bytes(landed, gzip.compress(b""))
    run_day(SOURCE, FIRST_DAY, alert, connection, allow_empty=True)
    stored = batch_of(warehouse)
    assert (stored.drift, stored.warnings) == ({}, [])
    assert not lake.exists(FOLDER)
    assert "drift/index.html" not in lake.read_bytes("reports/validation/index.html").decode()


def test_a_handful_of_products_is_measured_and_not_judged(
    alert: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
    run_day("edamam", FIRST_DAY, alert.model_copy(update={"drift_min_products": 1_000}), connection)
    stored = batch_of(warehouse, "edamam")
    assert {figure["verdict"] for figure in stored.drift.values()} == {"too few"}
    assert stored.warnings == []


def without_profile(model: Path) -> None:
    """Make a saved model look like one from before there were profiles."""
    description = json.loads((model / "artefact.json").read_text())
    del description["sha256"][PROFILE_FILE]
    (model / "artefact.json").write_text(json.dumps(description))
    (model / PROFILE_FILE).unlink()


def test_a_model_without_a_profile_labels_and_its_drift_is_not_measured(
    alert: Settings,
    lake: Lake,
    connection: SourceConnection,
    warehouse: Engine,
    tmp_path: Path,
    empty_registry: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    load_version("1", alert).save(tmp_path / "old")
    without_profile(tmp_path / "old")
    empty_registry(tmp_path / "registered")
    old = alert.model_copy(update={"state_dir": tmp_path / "registered"})
    registry = Registry(old.tracking_uri, old.state_dir)
    registry.promote(registry.register(tmp_path / "old", metrics={}, params={}).version)
    caplog.clear()
    for shard in plan_shards(Batch(SOURCE, FIRST_DAY), old):
        classify(shard, old)
    summary = publish_day(Batch(SOURCE, FIRST_DAY), old)
    stored = batch_of(warehouse)
    assert (stored.labelled, stored.drift, stored.warnings) == (summary["labelled"], {}, [])
    assert not lake.exists(FOLDER)
    assert sum("drift is not measured" in record.getMessage() for record in caplog.records) == 1
    assert lake.list_files("staging") == []


def test_shards_of_two_models_are_not_added_up(alert: Settings, warehouse: Engine, two_versions: Path) -> None:
    both = alert.model_copy(update={"state_dir": two_versions})
    first, *others = plan_shards(Batch(SOURCE, FIRST_DAY), both)
    relabelled: Shard = {**first, "model_version": "2"}
    embed_text(relabelled, both)
    embed_images(relabelled, both)
    classify(relabelled, both)
    for shard in others:
        classify(shard, both)
    publish_day(Batch(SOURCE, FIRST_DAY), both)
    assert batch_of(warehouse).drift == {}


def test_statistics_staged_by_an_earlier_release_are_measured_alike(
    alert: Settings, lake: Lake, warehouse: Engine, tmp_path: Path
) -> None:
    publish_day(Batch(SOURCE, FIRST_DAY), alert)
    for shard in plan_shards(Batch(SOURCE, FIRST_DAY), alert):
        classify(shard, alert)
    publish_day(Batch(SOURCE, FIRST_DAY), alert)
    expected = batch_of(warehouse).drift
    for shard in plan_shards(Batch(SOURCE, FIRST_DAY), alert):
        classify(shard, alert)
    staged = [path for path in lake.list_files("staging") if path.endswith(".tally.npz")]
    for path in staged:
        with np.load(io.BytesIO(lake.read_bytes(path))) as stored:
            arrays = dict(stored)
        del arrays["model_version"]
        content = io.BytesIO()
        np.savez(content, **arrays, model_path=np.array(str(tmp_path / "of-another-machine")))
        lake.write_bytes(path, content.getvalue())
    publish_day(Batch(SOURCE, FIRST_DAY), alert)
    assert len(staged) > 1
    assert batch_of(warehouse).drift == expected != {}
