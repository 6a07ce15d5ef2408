from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe


def test_a_recipe_survives_json():
    recipe = replace(Recipe(), text_heads=("logistic", "svm"), text_dimensions=64, fusion="late")
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_recipe_of_another_version_is_refused():
    with pytest.raises(ConfigurationError, match="moonlight"):
        Recipe.from_dict({"moonlight": 1})


@pytest.mark.parametrize(
    "wrong",
    [
        {"text_heads": ()},
        {"photo_heads": ("forest",)},
        {"photo_scaling": "twice"},
        {"fusion": "none"},
        {"calibration": "guess"},
        {"photo_regularisation": 0.0},
    ],
)
def test_an_unknown_value_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Recipe(**wrong)
