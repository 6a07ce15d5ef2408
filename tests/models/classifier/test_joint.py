from __future__ import annotations

from dataclasses import replace

import numpy as np

from include.models.classifier.heads import fit_photo, fit_text
from include.models.classifier.joint import JointHead, fit_joint
from include.models.classifier.recipe import Recipe

RECIPE = Recipe(rbf_dimensions=4)


def drawn(rows: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Text tells label 0 from the others, the photo tells label 2 from the others: only both tell all three."""
    chance = np.random.default_rng(seed)
    targets = chance.integers(0, 3, rows)
    text = np.stack([targets == 0, targets != 0], axis=1) + 0.2 * chance.normal(size=(rows, 2))
    photo = np.stack([targets == 2, targets != 2, np.ones(rows)], axis=1) + 0.2 * chance.normal(size=(rows, 3))
    return text.astype(np.float32), photo.astype(np.float32), targets


def fit(recipe: Recipe = RECIPE, has_photo: np.ndarray | None = None):
    text, photo, targets = drawn()
    there = np.ones(len(targets), dtype=bool)
    has_photo = there if has_photo is None else has_photo
    photo[~has_photo] = np.nan
    by_text = fit_text(text, targets, recipe, seed=0)
    by_photo = fit_photo(photo[has_photo], targets[has_photo], recipe, seed=0)
    return by_text, by_photo, fit_joint(text, there, photo, has_photo, targets, by_text, by_photo, recipe, seed=0)


def accuracy(by_text, by_photo, joint: JointHead) -> float:
    text, photo, targets = drawn(seed=1)
    logits = joint.logits(by_text.feature_map.apply(text), by_photo.feature_map.apply(photo))
    return float((logits.argmax(axis=1) == targets).mean())


def test_both_inputs_separate_what_neither_does_alone():
    assert accuracy(*fit()) > 0.95


def test_rows_without_a_photo_are_fitted_on_too():
    has_photo = np.random.default_rng(5).random(240) < 0.6
    assert accuracy(*fit(has_photo=has_photo)) > 0.9


def test_without_dropout_it_still_fits():
    assert accuracy(*fit(replace(RECIPE, joint_dropout=0.0))) > 0.95


def test_fitting_again_gives_the_same_weights():
    first, second = fit()[2], fit()[2]
    assert np.array_equal(first.text.weights, second.text.weights)
    assert np.array_equal(first.photo.weights, second.photo.weights)


def test_a_higher_temperature_is_less_confident():
    by_text, by_photo, joint = fit()
    text, photo, _ = drawn(seed=1)
    features = by_text.feature_map.apply(text), by_photo.feature_map.apply(photo)
    assert np.allclose(joint.at_temperature(2.0).logits(*features), joint.logits(*features) / 2, atol=1e-4)
