"""Promotion and rollback: the table and the alias agree in the end, wherever a process was killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.errors import ConfigurationError, NoChampionError
from include.models.version.registry import CHAMPION, Registry
from include.pipeline.promotion import promote_by_hand, roll_back, settle
from include.settings import Settings
from include.warehouse.promotions import PromotionRecord, champions_so_far, record_decision


@pytest.fixture
def registry(warehouse_settings: Settings, model_home: Path, empty_registry: Callable[[Path], None]) -> Registry:
    """A registry of this test alone with three versions of the trained model."""
    trained = Registry(Settings(state_dir=model_home).tracking_uri, model_home).champion().path
    empty_registry(warehouse_settings.state_dir)
    registry = Registry(warehouse_settings.tracking_uri, warehouse_settings.state_dir)
    for number in range(3):
        registry.register(trained, {}, {"dataset_hash": f"{number:064x}", "snapshot": f"{number}" * 64})
    return registry


@pytest.fixture
def promote(warehouse: Engine, registry: Registry) -> Callable[[str], None]:
    def by_hand(version: str) -> None:
        promote_by_hand(warehouse, registry, version, decided_by="Ana", reason="trial")

    return by_hand


def versions(engine: Engine) -> list[tuple[str, str | None, str]]:
    return [(one.candidate_version, one.champion_version, one.kind) for one in champions_so_far(engine)]


def test_a_promotion_is_written_and_the_alias_follows(
    warehouse: Engine, registry: Registry, promote: Callable[[str], None]
) -> None:
    promote("1")
    promote("1")
    promote("2")
    assert registry.alias(CHAMPION) == "2"
    assert versions(warehouse) == [("1", None, "promotion"), ("2", "1", "promotion")]


def test_a_promotion_killed_before_the_alias_is_finished_by_whatever_comes_next(
    warehouse: Engine, registry: Registry, promote: Callable[[str], None]
) -> None:
    promote("1")
    record_decision(warehouse, PromotionRecord("2", "1", True, "killed after this row", "gate"), once=True)
    assert registry.alias(CHAMPION) == "1"
    assert settle(warehouse, registry) == "2"
    assert settle(warehouse, registry) == "2"
    assert registry.alias(CHAMPION) == "2"


def test_an_alias_without_any_decision_is_left_alone(warehouse: Engine, registry: Registry) -> None:
    assert settle(warehouse, registry) is None
    registry.promote("3")
    assert settle(warehouse, registry) == "3"


def test_a_rollback_goes_to_the_champion_before_and_the_next_one_further_back(
    warehouse: Engine, registry: Registry, warehouse_settings: Settings, promote: Callable[[str], None]
) -> None:
    for version in ("1", "2", "3"):
        promote(version)
    first = roll_back(warehouse_settings, reason="sells vinegar as champagne", decided_by="Ana")
    assert (first["version"], first["previous"], first["changed"]) == ("2", "3", True)
    assert roll_back(warehouse_settings, reason="still wrong", decided_by="Ana")["version"] == "1"
    assert registry.alias(CHAMPION) == "1"
    with pytest.raises(ConfigurationError, match="no champion before version 1"):
        roll_back(warehouse_settings, reason="and now?", decided_by="Ana")
    assert versions(warehouse)[3:] == [("2", "3", "rollback"), ("1", "2", "rollback")]


def test_a_rollback_to_a_number_may_go_anywhere_and_twice_is_once(
    warehouse: Engine, registry: Registry, warehouse_settings: Settings, promote: Callable[[str], None]
) -> None:
    for version in ("1", "2", "3"):
        promote(version)
    assert roll_back(warehouse_settings, reason="far back", decided_by="Ana", to="1")["changed"]
    assert not roll_back(warehouse_settings, reason="far back", decided_by="Ana", to="1")["changed"]
    assert len(versions(warehouse)) == 4
    promote("3")
    assert roll_back(warehouse_settings, reason="wrong again", decided_by="Ana")["version"] == "1"
    with pytest.raises(ConfigurationError, match="no version 9"):
        roll_back(warehouse_settings, reason="nowhere", decided_by="Ana", to="9")
    with pytest.raises(ConfigurationError, match="needs a reason"):
        roll_back(warehouse_settings, reason=" ", decided_by="Ana")


def test_a_rollback_works_when_the_champion_is_gone_and_never_to_a_damaged_version(
    warehouse: Engine, registry: Registry, warehouse_settings: Settings, promote: Callable[[str], None]
) -> None:
    for version in ("1", "2", "3"):
        promote(version)
    for damaged in ("3", "1"):
        (registry.get(damaged).path / "artefact.json").unlink()
    assert roll_back(warehouse_settings, reason="artefact damaged", decided_by="Ana")["version"] == "2"
    with pytest.raises(NoChampionError, match="missing or damaged"):
        roll_back(warehouse_settings, reason="one more", decided_by="Ana")
    assert registry.alias(CHAMPION) == "2", "nothing was written or moved"
    assert versions(warehouse)[-1] == ("2", "3", "rollback")


def test_a_version_promoted_before_decisions_were_kept_gets_its_row(
    warehouse: Engine, registry: Registry, warehouse_settings: Settings
) -> None:
    registry.promote("2")
    change = roll_back(warehouse_settings, reason="write it down", decided_by="Ana", to="2")
    assert not change["changed"]
    assert versions(warehouse) == [("2", "2", "rollback")]
