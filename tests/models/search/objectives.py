"""Objectives that are a formula: a search over them takes no training, and its best recipe is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from include.models.classifier.recipe import Recipe
from include.models.search.search import RecipeScore

FOLDS = 4


def value_of(recipe: Recipe) -> float:
    """Best at a text regularisation of 12 without support vectors, where it is 0.95."""
    distance = abs(float(np.log(recipe.text_regularisation / 12)))
    return 0.95 - 0.05 * distance - 0.05 * ("svm" in recipe.text_heads)


def formula(recipe: Recipe, after_fold: Callable[[float], None]) -> RecipeScore:
    """The same score on every fold but for a little."""
    folds = tuple(value_of(recipe) + 0.001 * (fold - 1.5) for fold in range(FOLDS))
    for value in folds:
        after_fold(value)
    return RecipeScore(value_of(recipe), folds)


def lucky(recipe: Recipe, after_fold: Callable[[float], None]) -> RecipeScore:
    """Every recipe but the default is better in one fold and as good in the others."""
    folds = (0.9, 0.9, 0.9, 0.9 + 0.02 * (recipe != Recipe()))
    for value in folds:
        after_fold(value)
    return RecipeScore(float(np.mean(folds)), folds)
