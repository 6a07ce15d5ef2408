"""Every proposal is a recipe, the default recipe is a proposal, and a changed space has another name."""

from __future__ import annotations

from dataclasses import fields

import optuna
import pytest
from optuna.trial import FixedTrial

from include.models.classifier.recipe import Recipe
from include.models.search.spaces import TEXT_AND_PHOTO, TEXT_ONLY, Choice, Space, fingerprint, parameters_of, suggest

SPACES = pytest.mark.parametrize("space", [TEXT_ONLY, TEXT_AND_PHOTO], ids=["text", "text and photo"])


@SPACES
def test_a_space_names_fields_of_a_recipe(space: Space) -> None:
    assert set(space) <= {field.name for field in fields(Recipe)}


@SPACES
def test_the_default_recipe_can_be_proposed(space: Space) -> None:
    assert suggest(FixedTrial(parameters_of(Recipe(), space)), space) == Recipe()


@SPACES
def test_what_is_proposed_can_be_proposed_again(space: Space) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    recipes = set()
    for _ in range(60):
        trial = study.ask()
        recipe = suggest(trial, space)
        recipes.add(recipe)
        assert parameters_of(recipe, space) == trial.params
    assert len(recipes) == 60


def test_parameters_of_a_method_are_proposed_only_with_the_method() -> None:
    linear = parameters_of(Recipe(photo_heads=("logistic",)), TEXT_AND_PHOTO)
    assert "photo_regularisation" in linear
    assert "rbf_width" not in linear
    curved = parameters_of(Recipe(photo_heads=("rbf_svm",)), TEXT_AND_PHOTO)
    assert "photo_regularisation" not in curved
    assert "rbf_width" in curved


def test_the_fingerprint_of_a_space_changes_with_it_and_only_then() -> None:
    assert fingerprint(dict(TEXT_ONLY)) == fingerprint(TEXT_ONLY)
    assert fingerprint(TEXT_ONLY) != fingerprint(TEXT_AND_PHOTO)
    assert fingerprint(TEXT_ONLY) != fingerprint({**TEXT_ONLY, "text_dimensions": Choice((None, 64))})
