"""Judges whose verdict is a formula: a search over them takes no training, and its best recipe is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from include.models.recipe import Recipe

FOLDS = 4


def value_of(recipe: Recipe) -> float:
    """Best at a text regularisation of 60 without support vectors, where it is 0.95."""
    distance = abs(float(np.log(recipe.text_regularisation / 60)))
    return 0.95 - 0.05 * distance - 0.05 * ("svm" in recipe.text_heads)


def judge(recipe: Recipe, after_fold: Callable[[float], None]) -> float:
    """The same verdict on every fold but for a little."""
    for fold in range(FOLDS):
        after_fold(value_of(recipe) + 0.001 * (fold - 1.5))
    return value_of(recipe)


def indifferent(_recipe: Recipe, after_fold: Callable[[float], None]) -> float:
    """Every recipe is as good as any other."""
    for _ in range(FOLDS):
        after_fold(0.9)
    return 0.9
