"""A retraining that is killed anywhere and run again ends as one that was not: registry, decisions and alias agree."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from include.models.version.artefact import Artefact
from include.models.version.registry import CHALLENGER, CHAMPION, Registry
from include.pipeline.check import check
from include.pipeline.retraining import steps
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from tests.fixtures.killing import KILLED, run_killed
from tests.fixtures.storage import settings_for
from tests.pipeline.retraining.test_steps import FIRST, SECOND, more_products, small
from tests.pipeline.state import lake_state

RENAME = "pathlib:Path.replace"
KILLS = [
    (RENAME, 1, "gold set"),
    (RENAME, 2, "rows of the snapshot"),
    (RENAME, 3, "manifest"),
    ("mlflow.tracking:MlflowClient.log_artifacts", 1, "registering"),
    ("mlflow.tracking:MlflowClient.create_model_version", 1, "version"),
    ("mlflow.tracking:MlflowClient.set_terminated", 1, "end of the run"),
    (RENAME, 4, "judgement"),
    ("include.pipeline.promotion:record_decision", 1, "decision"),
    ("include.models.version.registry:Registry.promote", 2, "alias"),
    ("include.models.version.registry:Registry.clear_alias", 1, "challenger"),
]

CHECKS = [{"name": "told", "cases": 1, "share": 1.0, "required": 1.0, "failures": []}]
"""Behaviour, latency and size are told: they are measured again in every run."""


def retrain(settings: Settings, as_of: date) -> None:
    """All steps in a row, as the command runs them; nothing when there is nothing to do."""
    with steps.alone_in_training(settings, wait=True):
        plan = steps.plan_retraining(settings, as_of)
        examined = [
            {
                **steps.train_planned(plan, name, settings),
                "examination": {"latency_ms": 1.0, "size_mb": 1.0, "behaviour": CHECKS},
            }
            for name in plan["candidates"]
        ]
        if examined:
            steps.conclude(steps.judge_trained(plan, examined, settings)["path"], settings)  # type: ignore[arg-type]


def state(settings: Settings) -> dict[str, Any]:
    """All that a retraining leaves behind, without times and run ids."""
    registry = Registry(settings.tracking_uri, settings.state_dir)
    columns = "candidate_version, champion_version, promoted, reason, decided_by, snapshot, training_key, decision_key"
    with open_engine(settings.warehouse_dsn) as engine, engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {columns} FROM promotions ORDER BY promotion_id"))  # noqa: S608
        decisions = [tuple(row) for row in rows]
    return {
        "decisions": decisions,
        "aliases": (registry.alias(CHAMPION), registry.alias(CHALLENGER)),
        "versions": [(number, registry.tag(number, "dataset_hash")) for number in registry.versions()],
        "models": [
            Artefact.load(registry.get(number).path).golden.probabilities.tolist() for number in registry.versions()
        ],
        "unfinished": registry.unfinished_runs(),
        "lake": lake_state(Lake(settings.lake_root), ("snapshots", "gold_set", "reports/retraining")),
    }


@pytest.fixture
def prepared(
    imported: Path, tmp_path: Path, make_database: Callable[[], str], empty_registry: Callable[[Path], None]
) -> Settings:
    """A second week with more products than the first one had, before any retraining."""
    settings = small(settings_for(tmp_path / "state", make_database()), tmp_path)
    empty_registry(settings.state_dir)
    shutil.copytree(imported, settings.lake_root)
    return settings


@pytest.fixture(scope="module")
def unkilled(
    imported: Path, tmp_path_factory: pytest.TempPathFactory, make_database: Callable[[], str]
) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("unkilled")
    settings = small(settings_for(folder / "state", make_database()), folder)
    shutil.copytree(imported, settings.lake_root)
    retrain(settings, FIRST)
    return state(settings)


@pytest.mark.parametrize(("target", "nth"), [kill[:2] for kill in KILLS], ids=[kill[2] for kill in KILLS])
def test_killed_and_run_again_it_ends_as_if_it_had_not_been(
    target: str, nth: int, prepared: Settings, unkilled: dict[str, Any]
) -> None:
    assert run_killed(target, nth, retrain, prepared, FIRST) == KILLED
    retrain(prepared, FIRST)
    assert state(prepared) == unkilled
    assert [one.problem for one in check(prepared)] == [""] * 6


def test_a_promotion_killed_before_its_alias_is_named_by_the_check_and_finished_by_the_next_week(
    prepared: Settings,
) -> None:
    assert run_killed("include.models.version.registry:Registry.promote", 2, retrain, prepared, FIRST) == KILLED
    problems = [one.problem for one in check(prepared) if not one.holds]
    assert any("made version 1 champion, but the alias is on no version" in problem for problem in problems)
    more_products(prepared, SECOND, lambda row: row | {"name": f"{row['name']} again"})
    retrain(prepared, SECOND)
    assert Registry(prepared.tracking_uri, prepared.state_dir).alias(CHAMPION) is not None
    assert [one.problem for one in check(prepared)] == [""] * 6
