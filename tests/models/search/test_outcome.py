"""Training takes up what a search found, when it was found for that kind of training."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.models.search.outcome import SearchOutcome, found_recipe, outcome_path, read_outcome, write_outcome
from tests.pages.evaluations import draw_search_outcome


@pytest.fixture
def outcome() -> SearchOutcome:
    return draw_search_outcome()


def test_an_outcome_is_read_as_it_was_written_however_often(outcome: SearchOutcome, tmp_path: Path) -> None:
    first = write_outcome(tmp_path, outcome).read_bytes()
    assert write_outcome(tmp_path, outcome).read_bytes() == first
    assert read_outcome(tmp_path) == outcome
    assert list(outcome_path(tmp_path).parent.iterdir()) == [outcome_path(tmp_path)]


def test_training_uses_the_recipe_and_says_so(
    outcome: SearchOutcome, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_outcome(tmp_path, outcome)
    with caplog.at_level(logging.INFO):
        assert found_recipe(tmp_path, outcome.kind) == replace(
            Recipe(), text_regularisation=34.2, photo_heads=("logistic", "lda")
        )
    assert outcome.study in caplog.text
    assert outcome.changes() == {
        "text_regularisation": (Recipe().text_regularisation, 34.2),
        "photo_heads": (list(Recipe().photo_heads), ["logistic", "lda"]),
    }


def test_a_recipe_for_another_kind_of_training_is_not_used_and_the_log_says_why(
    outcome: SearchOutcome, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_outcome(tmp_path, outcome)
    assert found_recipe(tmp_path, "another kind") is None
    assert "run `python -m include search` again" in caplog.text


def test_without_a_search_there_is_no_recipe(tmp_path: Path) -> None:
    assert found_recipe(tmp_path, "k") is None


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"study": 1}'])
def test_a_damaged_file_is_refused_when_read_and_passed_over_by_training(
    outcome: SearchOutcome, tmp_path: Path, damage: str
) -> None:
    write_outcome(tmp_path, outcome).write_text(damage)
    with pytest.raises(ConfigurationError, match="include search` again"):
        read_outcome(tmp_path)
    assert found_recipe(tmp_path, outcome.kind) is None


def test_a_recipe_of_another_version_is_refused(outcome: SearchOutcome, tmp_path: Path) -> None:
    path = write_outcome(tmp_path, outcome)
    values = json.loads(path.read_text())
    values["recipe"]["no_such_field"] = 1
    path.write_text(json.dumps(values))
    with pytest.raises(ConfigurationError, match="no_such_field"):
        read_outcome(tmp_path)
