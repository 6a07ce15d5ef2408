from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from include.models.classifier.classifier import Classifier
from include.models.classifier.heads import MAX_ITERATIONS, fit_photo, fit_text
from include.models.classifier.linear import softmax
from include.models.classifier.recipe import Recipe

HEADS = ("logistic", "lda", "svm", "rbf", "rbf_svm", "rbf_ridge")


def drawn(labels: list[int], rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    targets = np.repeat(labels, rows)
    centres = chance.normal(size=(max(labels) + 1, 6))
    return (centres[targets] + chance.normal(size=(len(targets), 6)) * [1, 5, 1, 1, 0.1, 1]).astype(np.float32), targets


def rings() -> tuple[np.ndarray, np.ndarray]:
    """Two labels that no plane divides: a ball, and a shell around it."""
    chance = np.random.default_rng(1)
    directions = chance.normal(size=(300, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    targets = np.repeat([0, 1], 150)
    return (directions * (1 + 2 * targets + 0.2 * chance.normal(size=300))[:, None]).astype(np.float32), targets


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2], [1, 4]])
def test_the_folded_weights_are_scikit_learns(labels):
    vectors, targets = drawn(labels)
    recipe = Recipe(photo_heads=("logistic",), photo_scaling="standardise", photo_regularisation=3.0)
    classifier = fit_photo(vectors, targets, recipe, seed=0)
    assert classifier is not None
    model = make_pipeline(StandardScaler(), LogisticRegression(C=3.0 / 6, max_iter=MAX_ITERATIONS, tol=1e-4))
    expected = model.fit(vectors.astype(np.float64), targets).predict_proba(vectors)
    found = classifier.probabilities(vectors, 5)
    assert found.dtype == np.float32
    assert np.allclose(found[:, labels], expected, atol=5e-3)
    assert found[:, [label for label in range(5) if label not in labels]].sum() == 0


@pytest.mark.parametrize(
    ("head", "model"),
    [
        ("lda", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")),
        ("svm", LinearSVC(C=2.0, dual=False, max_iter=5_000)),
    ],
)
def test_other_linear_heads_are_scikit_learns_too(head, model):
    vectors, targets = drawn([0, 1, 2])
    classifier = fit_text(vectors, targets, Recipe(text_heads=(head,), text_regularisation=2.0), seed=0)
    expected = model.fit(vectors.astype(np.float64), targets).decision_function(vectors.astype(np.float64))
    expected = np.log(softmax(expected))
    assert np.allclose(np.log(classifier.probabilities(vectors, 3)), expected, atol=1e-2)


@pytest.mark.parametrize("head", HEADS)
def test_fitting_again_gives_the_same_weights(head):
    vectors, targets = drawn([0, 1, 2])
    first, second = (fit_photo(vectors, targets, Recipe(photo_heads=(head,)), seed=3) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)
    assert np.array_equal(first.logits(vectors), second.logits(vectors))


@pytest.mark.parametrize(
    ("head", "least", "most"), [("rbf", 0.97, 1), ("rbf_svm", 0.97, 1), ("rbf_ridge", 0.97, 1), ("logistic", 0, 0.8)]
)
def test_a_kernel_separates_what_no_plane_does(head, least, most):
    vectors, targets = rings()
    classifier = fit_photo(vectors, targets, Recipe(photo_heads=(head,), photo_scaling="standardise"), seed=0)
    accuracy = (classifier.probabilities(vectors, 2).argmax(axis=1) == targets).mean()
    assert least <= accuracy <= most


@pytest.mark.parametrize("scaling", ["none", "standardise", "length", "root"])
@pytest.mark.parametrize("heads", [("logistic",), ("rbf",), ("logistic", "rbf_svm")])
def test_a_classifier_survives_its_arrays(scaling, heads):
    vectors, targets = drawn([0, 2])
    classifier = fit_photo(vectors, targets, Recipe(photo_heads=heads, photo_scaling=scaling), seed=0)
    again = Classifier.from_arrays(classifier.to_arrays())
    assert again.dimensions == classifier.dimensions == 6
    assert np.array_equal(again.logits(vectors), classifier.logits(vectors))


def test_an_average_of_heads_is_between_them():
    vectors, targets = drawn([0, 1, 2])
    recipe = Recipe(text_heads=("logistic", "lda"))
    both = fit_text(vectors, targets, recipe, seed=0)
    single = [fit_text(vectors, targets, replace(recipe, text_heads=(head,)), seed=0) for head in recipe.text_heads]
    assert both.weights.shape == single[0].weights.shape
    agreed = single[0].logits(vectors).argmax(axis=1) == single[1].logits(vectors).argmax(axis=1)
    found = both.logits(vectors).argmax(axis=1)
    assert (found[agreed] == single[0].logits(vectors).argmax(axis=1)[agreed]).mean() > 0.95


def test_what_a_row_gets_does_not_depend_on_the_rows_beside_it():
    vectors, targets = drawn([0, 1, 2], rows=300)
    classifier = fit_photo(vectors, targets, Recipe(), seed=0)
    apart = np.vstack([classifier.logits(vectors[row : row + 1]) for row in range(50)])
    assert np.allclose(classifier.logits(vectors)[:50], apart, atol=1e-6)


def test_one_label_is_no_photo_classifier():
    vectors, targets = drawn([1])
    assert fit_photo(vectors, targets, Recipe(), seed=0) is None


def test_a_constant_dimension_does_no_harm():
    vectors, targets = drawn([0, 1])
    vectors[:, 0] = 7.0
    for heads in (("logistic",), ("rbf_svm",)):
        recipe = Recipe(photo_heads=heads, photo_scaling="standardise")
        assert np.isfinite(fit_photo(vectors, targets, recipe, seed=0).logits(vectors)).all()


def test_identical_photos_do_no_harm():
    vectors, targets = np.ones((20, 4), dtype=np.float32), np.repeat([0, 1], 10)
    assert np.isfinite(fit_photo(vectors, targets, Recipe(), seed=0).logits(vectors)).all()


def test_a_higher_temperature_is_less_confident_of_the_same_label():
    vectors, targets = drawn([0, 1, 2])
    classifier = fit_text(vectors, targets, Recipe(), seed=0)
    sure, unsure = classifier.probabilities(vectors, 3), classifier.at_temperature(3.0).probabilities(vectors, 3)
    assert np.array_equal(sure.argmax(axis=1), unsure.argmax(axis=1))
    assert (unsure.max(axis=1) <= sure.max(axis=1) + 1e-6).all()
