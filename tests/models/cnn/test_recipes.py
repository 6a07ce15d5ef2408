"""Recipes: presets that hold together, and refusals of those that do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import ConfigurationError
from include.features.image.keras_applications import KERAS_APPLICATIONS
from include.models.cnn.recipes import RECIPES, SCRATCH, Phase, recipe_named


def test_every_preset_has_a_base_that_exists() -> None:
    assert {"scratch-small", "mobilenetv3-small-transfer", "efficientnetv2b0-transfer"} <= RECIPES.keys()
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert recipe.base == SCRATCH or recipe.base in KERAS_APPLICATIONS


def test_transfer_trains_the_head_first_and_then_the_top_more_gently() -> None:
    head, fine_tuning = RECIPES["mobilenetv3-small-transfer"].phases_to_run
    assert head.unfrozen_share == 0
    assert 0 < fine_tuning.unfrozen_share < 1
    assert fine_tuning.learning_rate < head.learning_rate


def test_a_base_without_weights_is_trained_whole() -> None:
    recipe = replace(RECIPES["mobilenetv3-small-transfer"], weights=None)
    (phase,) = recipe.phases_to_run
    assert phase.unfrozen_share == 1
    assert phase.epochs == sum(one.epochs for one in recipe.phases)


def test_a_keras_file_is_a_base_that_is_trained_already() -> None:
    recipe = recipe_named("/srv/networks/own.keras")
    assert recipe.base_is_trained
    assert len(recipe.phases_to_run) == 2


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"scratch-small.*\.keras"):
        recipe_named("inception-of-2015")


@pytest.mark.parametrize(
    "wrong",
    [
        {"phases": ()},
        {"phases": (Phase("head", 0, 1e-3, 0.0),)},
        {"phases": (Phase("head", 1, 1e-3, 1.5),)},
        {"side": 8},
        {"batch_size": 0},
        {"validation_share": 0.0},
    ],
)
def test_a_recipe_that_cannot_be_trained_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="scratch-small"):
        replace(RECIPES["scratch-small"], **wrong)  # type: ignore[arg-type]


def test_no_epochs_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one epoch"):
        RECIPES["scratch-small"].shortened(0)
    assert [phase.epochs for phase in RECIPES["resnet50-transfer"].shortened(3).phases] == [3, 3]
