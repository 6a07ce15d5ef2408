"""The search goes on where it was, repeats itself, and does not take luck for gain."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.models.search.outcome import SearchOutcome
from include.models.search.search import Objective, RecipeScore, SearchBudget, run_search
from include.models.search.spaces import TEXT_ONLY, Choice, Space
from tests.models.search import objectives

PROJECT_ROOT = Path(__file__).resolve().parents[3]
TRIALS = 12


def search(
    storage: Path,
    *,
    trials: int = TRIALS,
    objective: Objective = objectives.formula,
    space: Space = TEXT_ONLY,
    data: str = "rows",
    minutes: float = 10.0,
) -> SearchOutcome:
    """A search by macro-F1."""
    return run_search(
        objective,
        space,
        SearchBudget(trials, minutes),
        measure="macro_f1",
        data_fingerprint=data,
        kind="k",
        products=100,
        storage=storage,
        seed=0,
    )


def without_clock(outcome: SearchOutcome) -> SearchOutcome:
    return replace(outcome, seconds=0.0)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SearchOutcome]:
    storage = tmp_path_factory.mktemp("search") / "studies.db"
    return storage, search(storage)


def test_a_search_finds_what_is_better_and_stops_what_is_worse_early(
    uninterrupted: tuple[Path, SearchOutcome],
) -> None:
    _, outcome = uninterrupted
    assert len(outcome.values) == TRIALS
    assert outcome.values[0] == outcome.default_value == pytest.approx(objectives.value_of(Recipe()))
    assert not outcome.is_default
    assert outcome.value == max(value for value in outcome.values if value is not None) > outcome.default_value
    assert outcome.value == pytest.approx(objectives.value_of(Recipe.from_dict(dict(outcome.recipe))))
    assert set(outcome.importances) <= set(TEXT_ONLY)
    idle = {"text_dimensions", "encoder_documents_per_label"}
    assert sum(outcome.importances[name] for name in idle) < 0.5 < sum(outcome.importances.values())
    assert (outcome.pruned, outcome.failed) == (outcome.values.count(None), 0)


def test_a_search_that_is_over_tries_nothing_more(uninterrupted: tuple[Path, SearchOutcome]) -> None:
    storage, outcome = uninterrupted

    def never(_recipe: Recipe, _after_fold: Callable[[float], None]) -> RecipeScore:
        raise AssertionError("a trial was run")

    assert search(storage, objective=never) == outcome


def test_a_killed_search_goes_on_and_tries_what_it_would_have_tried(
    uninterrupted: tuple[Path, SearchOutcome], tmp_path: Path
) -> None:
    storage = tmp_path / "studies.db"
    command = [sys.executable, "-m", "tests.models.search.killed_search", str(storage), str(TRIALS), "5"]
    killed = subprocess.run(command, cwd=PROJECT_ROOT, check=False, capture_output=True, timeout=120)
    assert killed.returncode == -9, killed.stderr.decode()
    judged = []

    def counting(recipe: Recipe, after_fold: Callable[[float], None]) -> RecipeScore:
        judged.append(recipe)
        return objectives.formula(recipe, after_fold)

    resumed = search(storage, objective=counting)
    assert len(judged) == TRIALS - 4
    assert without_clock(resumed) == without_clock(uninterrupted[1])


def test_a_search_that_ran_out_of_time_goes_on_and_has_judged_the_default_at_least(
    uninterrupted: tuple[Path, SearchOutcome], tmp_path: Path
) -> None:
    storage = tmp_path / "studies.db"
    first = search(storage, minutes=0.0)
    assert first.is_default
    assert first.values == (first.default_value,)
    assert without_clock(search(storage)) == without_clock(uninterrupted[1])


def test_other_rows_or_another_space_start_a_search_of_their_own(
    uninterrupted: tuple[Path, SearchOutcome],
) -> None:
    storage, outcome = uninterrupted
    other_rows = search(storage, trials=1, data="other rows")
    other_space = search(storage, trials=1, space={**TEXT_ONLY, "text_dimensions": Choice((None, 64))})
    assert len({outcome.study, other_rows.study, other_space.study}) == 3
    assert len(other_rows.values) == len(other_space.values) == 1


def test_the_default_stays_where_no_recipe_is_better_by_more_than_chance(tmp_path: Path) -> None:
    outcome = search(tmp_path / "studies.db", trials=3, objective=objectives.lucky)
    assert outcome.is_default
    assert outcome.changes() == {}
    assert Recipe.from_dict(dict(outcome.recipe)) == Recipe()


def test_a_recipe_that_fails_is_counted_and_the_search_goes_on(tmp_path: Path) -> None:
    def fragile(recipe: Recipe, after_fold: Callable[[float], None]) -> RecipeScore:
        if recipe != Recipe():
            raise ConfigurationError("too many dimensions")
        return objectives.formula(recipe, after_fold)

    outcome = search(tmp_path / "studies.db", trials=3, objective=fragile)
    assert (outcome.failed, outcome.pruned, len(outcome.values)) == (2, 0, 3)
    assert outcome.is_default


def test_a_search_whose_default_fails_says_why(tmp_path: Path) -> None:
    def broken(_recipe: Recipe, _after_fold: Callable[[float], None]) -> RecipeScore:
        raise ConfigurationError("no product has a text")

    with pytest.raises(ConfigurationError, match="no product has a text"):
        search(tmp_path / "studies.db", trials=2, objective=broken)


def test_a_second_search_at_the_same_time_is_refused(tmp_path: Path) -> None:
    storage = tmp_path / "studies.db"
    with FileLock(storage.with_suffix(".lock")), pytest.raises(ConfigurationError, match="another search"):
        search(storage)


def test_the_search_library_speaks_through_the_log_at_its_level(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        search(tmp_path / "studies.db", trials=1)
    assert not [record for record in caplog.records if record.name.startswith("optuna")]
    assert capfd.readouterr() == ("", "")
