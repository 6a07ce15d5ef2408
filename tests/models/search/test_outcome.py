"""Training takes up what a search found, when it was found for that kind of training."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.models.search.outcome import (
    OUTCOME,
    SearchOutcome,
    found_recipe,
    move_outcome,
    outcome_text,
    read_outcome,
    write_outcome,
)
from include.storage.lake import Lake
from tests.pages.evaluations import draw_search_outcome


@pytest.fixture
def outcome() -> SearchOutcome:
    return draw_search_outcome()


def test_an_outcome_is_read_as_it_was_written_however_often(outcome: SearchOutcome, any_lake: Lake) -> None:
    assert read_outcome(any_lake) is None
    assert outcome_text(any_lake) == ""
    write_outcome(any_lake, outcome)
    first = outcome_text(any_lake)
    write_outcome(any_lake, outcome)
    assert outcome_text(any_lake) == first
    assert read_outcome(any_lake) == outcome


def test_an_outcome_in_the_state_folder_is_moved_to_the_lake_once(
    outcome: SearchOutcome, tmp_path: Path, any_lake: Lake
) -> None:
    move_outcome(tmp_path, any_lake)
    assert read_outcome(any_lake) is None
    earlier = tmp_path / "search" / "best_recipe.json"
    earlier.parent.mkdir()
    earlier.write_text(outcome.to_json())
    move_outcome(tmp_path, any_lake)
    assert outcome_text(any_lake) == outcome.to_json(), "what it decides stays as it was"
    assert not earlier.exists()

    earlier.write_text("of another state folder")
    move_outcome(tmp_path, any_lake)
    assert read_outcome(any_lake) == outcome


def test_training_uses_the_recipe_and_says_so(
    outcome: SearchOutcome, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    write_outcome(lake, outcome)
    with caplog.at_level(logging.INFO):
        assert found_recipe(lake, outcome.kind) == replace(
            Recipe(), text_regularisation=34.2, photo_heads=("logistic", "lda")
        )
    assert outcome.study in caplog.text
    assert outcome.changes() == {
        "text_regularisation": (Recipe().text_regularisation, 34.2),
        "photo_heads": (list(Recipe().photo_heads), ["logistic", "lda"]),
    }


def test_a_recipe_for_another_kind_of_training_is_not_used_and_the_log_says_why(
    outcome: SearchOutcome, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    write_outcome(lake, outcome)
    assert found_recipe(lake, "another kind") is None
    assert "run `python -m include search` again" in caplog.text


def test_without_a_search_there_is_no_recipe(lake: Lake) -> None:
    assert found_recipe(lake, "k") is None


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"study": 1}'])
def test_a_damaged_file_is_refused_when_read_and_passed_over_by_training(
    outcome: SearchOutcome, lake: Lake, damage: str
) -> None:
    lake.write_bytes(OUTCOME, damage.encode())
    with pytest.raises(ConfigurationError, match="include search` again"):
        read_outcome(lake)
    assert found_recipe(lake, outcome.kind) is None


def test_a_recipe_of_another_version_is_refused(outcome: SearchOutcome, lake: Lake) -> None:
    values = json.loads(outcome.to_json())
    values["recipe"]["no_such_field"] = 1
    lake.write_bytes(OUTCOME, json.dumps(values).encode())
    with pytest.raises(ConfigurationError, match="no_such_field"):
        read_outcome(lake)
