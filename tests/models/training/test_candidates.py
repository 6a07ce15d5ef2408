"""The candidates file: what it may say, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.models.training.candidates import load_candidates
from include.settings import Settings


def written(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "candidates.yaml"
    path.write_text(content)
    return path


def test_the_projects_own_file_trains_text_photo_and_fusion_and_no_network() -> None:
    candidates = load_candidates(Settings().candidates_file)
    assert [candidate.name for candidate in candidates] == ["text", "photo", "fusion"]
    assert [candidate.recipe_on(Recipe()).fusion for candidate in candidates] == ["text", "photo", "auto"]
    assert all(candidate.network is None for candidate in candidates)


def test_a_recipe_changes_only_what_it_names(tmp_path: Path) -> None:
    path = written(tmp_path, "candidates: [{name: wide, recipe: {text_heads: [logistic, svm], fusion: late}}]")
    base = Recipe(text_regularisation=7.0)
    recipe = load_candidates(path)[0].recipe_on(base)
    assert (recipe.text_heads, recipe.fusion, recipe.text_regularisation) == (("logistic", "svm"), "late", 7.0)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("candidates: [{name: a, recipe: {text_regularization: 3}}]", "text_regularization"),
        ("candidates: [{name: a, recipe: {fusion: mixed}}]", "fusion"),
        ("candidates: [{name: a, recipe: {text_regularisation: much}}]", "candidate 'a'"),
        ("candidates: [{name: a}, {name: a}]", "two candidates of one name"),
        ("candidates: [{name: a, enabled: false}]", "no candidate that is enabled"),
        ("candidates: [{name: a b}]", "name"),
        ("candidates: [{name: a, recipes: {}}]", "recipes"),
        ("candidate: []", "candidates"),
        ("candidates: [", "is wrong"),
    ],
)
def test_a_wrong_file_is_refused_and_says_what_is_wrong(tmp_path: Path, content: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load_candidates(written(tmp_path, content))


def test_an_absent_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CUVEE_CANDIDATES_FILE"):
        load_candidates(tmp_path / "absent.yaml")
