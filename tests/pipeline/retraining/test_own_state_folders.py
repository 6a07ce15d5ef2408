"""A retraining whose steps share the lake, the warehouse and the registry, and no state folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from include.models.classifier.recipe import Recipe
from include.models.cnn.recipes import RECIPES
from include.models.search.objective import kind_of
from include.models.search.outcome import write_outcome
from include.models.version.artefact import Artefact
from include.models.version.registry import CHALLENGER, CHAMPION, Registry
from include.pipeline.import_catalogue import import_catalogue
from include.pipeline.retraining import examination, steps
from include.pipeline.retraining.reporting import report_decision
from include.pipeline.training.training_data import snapshot_of_today, training_set
from include.sandbox.demo.training_catalogue import write_demo_catalogue
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from tests.fixtures.storage import settings_for
from tests.fixtures.trained import FIRST_DAY
from tests.pages.evaluations import draw_search_outcome
from tests.pipeline.retraining.test_steps import small
from tests.pipeline.state import lake_state
from tests.pipeline.training.test_train_cnn import TINY

SUNDAY = date(2026, 1, 11)
SEARCHED = replace(Recipe(), text_regularisation=7.5, photo_heads=("logistic",))
CANDIDATES = """
candidates:
  - name: text
    recipe: {fusion: text}
  - name: fine_tuned
    network: scratch-small
    epochs: 1
"""


@pytest.fixture
def prepared(
    tmp_path: Path,
    make_database: Callable[[], str],
    empty_registry: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Settings]:
    """A function that makes one more platform: imported products and the result of a search, and nothing trained."""
    monkeypatch.setitem(RECIPES, "scratch-small", TINY)
    monkeypatch.setattr(examination, "CASES", 20)
    candidates = tmp_path / "candidates.yaml"

    def platform(name: str) -> Settings:
        home = tmp_path / name
        empty_registry(home)
        addresses = {
            "lake_url": str(home / "lake"),
            "mlflow_tracking_uri": f"sqlite:///{home / 'mlflow' / 'mlflow.db'}",
        }
        return small(settings_for(home, make_database()).model_copy(update=addresses), tmp_path)

    first = platform("imported")
    candidates.write_text(CANDIDATES)
    import_catalogue(write_demo_catalogue(tmp_path / "catalogue", rows_per_label=12), FIRST_DAY, first, source="shop")
    training = training_set(snapshot_of_today(first, SUNDAY).training, first)
    outcome = replace(draw_search_outcome(), kind=kind_of(training, first.text_encoder), recipe=SEARCHED.to_dict())
    write_outcome(Lake(first.lake_root), outcome)

    def copy(name: str) -> Settings:
        settings = platform(name)
        candidates.write_text(CANDIDATES)
        shutil.copytree(first.lake_root, settings.lake_root)
        return settings

    return copy


def retrain(state_folders: Iterator[Settings]) -> steps.Conclusion:
    """Every step with the next settings; what goes from one to the next is JSON, as in Airflow."""

    def passed_on(value: Any) -> Any:
        return json.loads(json.dumps(value))

    plan = passed_on(steps.plan_retraining(next(state_folders), SUNDAY))
    assert plan["reason"] == ""
    trained = [passed_on(steps.train_planned(plan, name, next(state_folders))) for name in plan["candidates"]]
    examined = [passed_on(steps.examine_trained(plan, one, next(state_folders))) for one in trained]
    for one in examined:
        # Measured again in every run, and names inside a network may be some letters longer.
        one["examination"] |= {"latency_ms": 1.0, "size_mb": round(one["examination"]["size_mb"], 1)}
    judged = passed_on(steps.judge_trained(plan, examined, next(state_folders)))
    concluded = passed_on(steps.conclude(judged["path"], next(state_folders)))
    report_decision(judged["path"], next(state_folders))
    return concluded


def state(settings: Settings) -> dict[str, Any]:
    """All that the retraining left behind, without times and run ids."""
    registry, lake = Registry(settings.tracking_uri, settings.state_dir), Lake(settings.lake_root)
    columns = "candidate_version, champion_version, promoted, reason, decided_by, snapshot, training_key, decision_key"
    with open_engine(settings.warehouse_dsn) as engine, engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {columns} FROM promotions ORDER BY promotion_id"))  # noqa: S608
        decisions = [tuple(row) for row in rows]
    versions = {number: Artefact.load(registry.get(number).path) for number in registry.versions()}
    judgements = lake.list_files("reports/retraining", "judgement.json")
    return {
        "decisions": decisions,
        "aliases": (registry.alias(CHAMPION), registry.alias(CHALLENGER)),
        "models": {
            number: (
                registry.tag(number, "dataset_hash"),
                one.recipe.to_dict(),
                one.image_encoder_identity,
                one.golden.probabilities.tolist(),
            )
            for number, one in versions.items()
        },
        "judgements": [json.loads(lake.read_bytes(path)) for path in judgements],
        "lake": lake_state(lake, ("snapshots", "gold_set", "embeddings", "search")),
    }


def test_every_step_in_an_empty_state_folder_gives_the_same_models_and_decision(
    prepared: Callable[[str], Settings], tmp_path: Path
) -> None:
    one = prepared("one")
    expected = retrain(iter([one] * 20))

    each = prepared("each")

    def folders() -> Iterator[Settings]:
        for number in range(20):
            shutil.rmtree(tmp_path / f"machine-{number - 1}", ignore_errors=True)
            yield each.model_copy(update={"state_dir": tmp_path / f"machine-{number}"})

    assert retrain(folders()) == expected
    found, wanted = state(each), state(one)
    for name, value in wanted.items():
        assert found[name] == value, name
    assert len(found["decisions"]) == 1
    assert found["models"]["1"][1]["text_regularisation"] == SEARCHED.text_regularisation, "the search decided it"
    assert not found["models"]["2"][2].startswith("classical"), "the second candidate has a network of its own"
