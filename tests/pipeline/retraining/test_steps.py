"""A retraining from its snapshot to its decision, on drawn products: what is promoted, refused, and left alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from include.errors import ChampionChanged, NoChampionError
from include.models.data.snapshot import read_snapshot
from include.models.version.registry import CHALLENGER, CHAMPION, Registry
from include.pipeline.check import check
from include.pipeline.promotion import promote_by_hand
from include.pipeline.retraining import steps
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

MONDAY = date(2026, 1, 5)
FIRST, SECOND = date(2026, 1, 11), date(2026, 1, 18)

FAST = """
candidates:
  - name: text
    recipe: {fusion: text, photo_heads: [logistic]}
"""


def small(settings: Settings, folder: Path) -> Settings:
    """Settings for one quick candidate and few drawn products; its file lies in `folder`."""
    path = folder / "candidates.yaml"
    path.write_text(FAST)
    changed = {
        "candidates_file": path, "gold_share": 0.3, "training_folds": 2, "text_dimensions": 48,
        "min_label_examples": 2, "image_encoder": "classical", "gate_min_gold": 10, "floor_accepted_precision": 0.5,
        "floor_macro_f1": 0.2, "floor_calibration_error": 0.6, "gate_latency_ms": 5_000.0, "target_precision": 0.8,
    }  # fmt: skip
    return settings.model_copy(update=changed)


@pytest.fixture
def settings(
    warehouse_settings: Settings, tmp_path: Path, imported: Path, empty_registry: Callable[[Path], None]
) -> Settings:
    empty_registry(warehouse_settings.state_dir)
    shutil.copytree(imported, warehouse_settings.lake_root)
    return small(warehouse_settings, tmp_path)


def examined(plan: steps.RetrainingPlan, settings: Settings, *, behaves: bool = True) -> list[Any]:
    """The plan's candidates, trained; that they behave is told, so that drawn products decide nothing about it."""
    checks = [{"name": "told", "cases": 1, "share": float(behaves), "required": 1.0, "failures": []}]
    found = []
    for name in plan["candidates"]:
        trained = steps.train_planned(plan, name, settings)
        found.append({**trained, "examination": {"latency_ms": 1.0, "size_mb": 1.0, "behaviour": checks}})
    return found


def retrain(settings: Settings, as_of: date, **kwargs: Any) -> steps.Conclusion:
    plan = steps.plan_retraining(settings, as_of)
    assert plan["reason"] == ""
    judged = steps.judge_trained(plan, examined(plan, settings, **kwargs), settings)
    return steps.conclude(judged["path"], settings)


def decisions(engine: Engine) -> list[tuple[Any, ...]]:
    query = "SELECT candidate_version, champion_version, promoted, decided_by FROM promotions ORDER BY promotion_id"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def more_products(settings: Settings, day: date, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Deliver the products again on a later day, each changed."""
    lake = Lake(settings.lake_root)
    table = lake.read_parquet(Batch("shop", MONDAY).file(Layer.PRODUCTS))
    rows = [change(row) for row in table.to_pylist()]
    lake.write_parquet(Batch("shop", day).file(Layer.PRODUCTS), pa.Table.from_pylist(rows, table.schema))


def test_the_first_week_promotes_what_passes_the_floors_and_again_changes_nothing(
    settings: Settings, warehouse: Engine
) -> None:
    found = retrain(settings, FIRST)
    assert (found["candidate"], found["champion"], found["promoted"]) == ("1", None, True)
    registry = Registry(settings.tracking_uri, settings.state_dir)
    assert (registry.alias(CHAMPION), registry.alias(CHALLENGER)) == ("1", None)
    assert registry.tag("1", "candidate") == "text"
    assert registry.tag("1", "code_version").startswith("0.1.0")

    again = steps.plan_retraining(settings, FIRST)
    assert again["candidates"] == []
    assert "no new labels" in again["reason"]
    assert steps.plan_retraining(settings, SECOND)["reason"] == again["reason"], "a week without new labels"
    assert decisions(warehouse) == [("1", None, True, "gate")]
    assert [one.problem for one in check(settings)] == [""] * 6


def test_a_first_week_below_the_floors_is_refused_with_reasons(settings: Settings, warehouse: Engine) -> None:
    strict = settings.model_copy(update={"floor_macro_f1": 1.0, "floor_accepted_precision": 1.0, "gate_min_gold": 500})
    found = retrain(strict, FIRST)
    assert not found["promoted"]
    assert "gold products" in found["reason"]
    registry = Registry(settings.tracking_uri, settings.state_dir)
    assert (registry.alias(CHAMPION), registry.alias(CHALLENGER)) == (None, "1")
    assert decisions(warehouse) == [("1", None, False, "gate")]
    assert steps.plan_retraining(settings, FIRST)["reason"] == "", "other bounds are another question"


def test_worse_labels_are_refused_and_the_champion_stays(settings: Settings, warehouse: Engine) -> None:
    retrain(settings, FIRST)
    labels = ["Watches", "Computers", "Baby Care", "Kitchen & Dining"]

    def shuffled(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"source_category": labels[int(row["content_hash"][:8], 16) % 4]}

    more_products(settings, MONDAY + timedelta(days=7), shuffled)
    found = retrain(settings, SECOND)
    assert not found["promoted"]
    assert "gold labels as they were: " in found["reason"]
    assert Registry(settings.tracking_uri, settings.state_dir).alias(CHAMPION) == "1"
    assert decisions(warehouse)[1:] == [("2", "1", False, "gate")]
    past = steps.plan_retraining(settings, FIRST)
    assert "became champion" in past["reason"], "the first week, run again, sees its own labels and its own decision"


def test_a_model_that_misbehaves_is_refused(settings: Settings) -> None:
    found = retrain(settings, FIRST, behaves=False)
    assert not found["promoted"]
    assert "behaviour: told" in found["reason"]


def test_no_content_of_the_gold_set_is_in_any_candidates_training_rows(settings: Settings) -> None:
    plan = steps.plan_retraining(settings, FIRST)
    [candidate] = examined(plan, settings)
    registry = Registry(settings.tracking_uri, settings.state_dir)
    trained_on = read_snapshot(Lake(settings.lake_root), registry.tag(candidate["version"], "snapshot"))
    gold = read_snapshot(Lake(settings.lake_root), plan["snapshot"]).gold
    assert gold.num_rows > 10
    for column in ("product_id", "text_hash", "photo_sha256", "content_group"):
        values = set(gold[column].drop_null().to_pylist())
        assert not values & set(trained_on.training[column].to_pylist())


def test_a_person_may_reject_or_not_answer(settings: Settings, warehouse: Engine) -> None:
    plan = steps.plan_retraining(settings, FIRST)
    judged = steps.judge_trained(plan, examined(plan, settings), settings)
    assert judged["outcome"] == "promote"
    silent = steps.conclude(judged["path"], settings, steps.Approval(approved=False, by=None))
    assert (silent["promoted"], silent["decided_by"]) == (False, "nobody")
    assert "nobody answered in 72 hours" in silent["reason"]
    late = steps.conclude(judged["path"], settings, steps.Approval(approved=True, by="Ana"))
    assert not late["promoted"], "the decision was taken"
    assert decisions(warehouse) == [("1", None, False, "nobody")]
    assert Registry(settings.tracking_uri, settings.state_dir).alias(CHAMPION) is None


def test_a_persons_yes_is_written_with_their_name(settings: Settings, warehouse: Engine) -> None:
    plan = steps.plan_retraining(settings, FIRST)
    judged = steps.judge_trained(plan, examined(plan, settings), settings)
    found = steps.conclude(judged["path"], settings, steps.Approval(approved=True, by="Ana"))
    assert found["reason"].startswith("approved by Ana; ")
    assert decisions(warehouse) == [("1", None, True, "Ana")]


def test_a_champion_that_changed_meanwhile_stops_the_conclusion(settings: Settings, warehouse: Engine) -> None:
    plan = steps.plan_retraining(settings, FIRST)
    candidates = examined(plan, settings)
    judged = steps.judge_trained(plan, candidates, settings)
    registry = Registry(settings.tracking_uri, settings.state_dir)
    registry.register(registry.get("1").path, {}, {})
    promote_by_hand(warehouse, registry, "2", decided_by="Ana", reason="in a hurry")
    with pytest.raises(ChampionChanged, match="version 2 has become champion"):
        steps.conclude(judged["path"], settings)
    assert registry.alias(CHAMPION) == "2"
    assert len(decisions(warehouse)) == 1


def test_an_old_decision_concluded_again_does_not_move_the_champion_back(settings: Settings, warehouse: Engine) -> None:
    plan = steps.plan_retraining(settings, FIRST)
    judged = steps.judge_trained(plan, examined(plan, settings), settings)
    steps.conclude(judged["path"], settings)
    registry = Registry(settings.tracking_uri, settings.state_dir)
    registry.register(registry.get("1").path, {}, {})
    promote_by_hand(warehouse, registry, "2", decided_by="Ana", reason="trial")
    assert steps.conclude(judged["path"], settings)["promoted"]
    assert registry.alias(CHAMPION) == "2"
    assert len(decisions(warehouse)) == 2


def test_a_candidate_that_is_the_champion_itself_is_not_promoted_again(settings: Settings, warehouse: Engine) -> None:
    plan = steps.plan_retraining(settings, FIRST)
    [candidate] = examined(plan, settings)
    promote_by_hand(
        warehouse,
        Registry(settings.tracking_uri, settings.state_dir),
        candidate["version"],
        decided_by="Ana",
        reason="by hand",
    )
    found = retrain(settings, FIRST)
    assert (found["promoted"], found["candidate"], found["champion"]) == (False, "1", "1")
    assert "the champion itself" in found["reason"]


def test_a_damaged_champion_stops_the_judgement_and_names_the_rollback(settings: Settings, warehouse: Engine) -> None:
    retrain(settings, FIRST)
    more_products(settings, MONDAY + timedelta(days=7), lambda row: row | {"name": f"{row['name']} new"})
    registry = Registry(settings.tracking_uri, settings.state_dir)
    (registry.get("1").path / "classifiers.npz").write_bytes(b"damaged")
    plan = steps.plan_retraining(settings, SECOND)
    with pytest.raises(NoChampionError, match="python -m include rollback --reason"):
        steps.judge_trained(plan, examined(plan, settings), settings)


def test_too_few_labels_train_nothing_and_say_what_to_do(warehouse_settings: Settings, warehouse: Engine) -> None:
    plan = steps.plan_retraining(warehouse_settings, FIRST)
    assert plan["candidates"] == []
    assert "python -m include import" in plan["reason"]


def test_the_judgement_holds_all_that_the_decision_rests_on(settings: Settings) -> None:
    plan = steps.plan_retraining(settings, FIRST)
    judged = steps.judge_trained(plan, examined(plan, settings), settings)
    lake = Lake(settings.lake_root)
    found = steps.read_judgement(lake, judged["path"])
    assert json.loads(lake.read_bytes(judged["path"]))["candidate"] == judged["candidate"]
    assert found.judged.gold.products == found.gold_products
    assert found.judged.clauses
    assert found.metrics()["candidate_macro_f1"] == pytest.approx(found.judged.gold.macro_f1.value, abs=1e-6)
    assert found.snapshot == plan["snapshot"]
