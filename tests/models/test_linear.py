from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from include.models.linear import MAX_ITERATIONS, fit_linear, softmax


def drawn(labels: list[int]) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    targets = np.repeat(labels, 40)
    centres = chance.normal(size=(max(labels) + 1, 6))
    return (centres[targets] + chance.normal(size=(len(targets), 6)) * [1, 5, 1, 1, 0.1, 1]).astype(np.float32), targets


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2], [1, 4]])
def test_the_folded_weights_are_scikit_learns(labels):
    vectors, targets = drawn(labels)
    classifier = fit_linear(vectors, targets, regularisation=0.5, standardise=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=MAX_ITERATIONS, tol=1e-3))
    expected = model.fit(vectors.astype(np.float64), targets).predict_proba(vectors)
    found = classifier.probabilities(vectors, 5)
    assert found.dtype == np.float32
    assert np.allclose(found[:, labels], expected, atol=5e-3)
    assert found[:, [label for label in range(5) if label not in labels]].sum() == 0


def test_fitting_again_gives_the_same_weights():
    vectors, targets = drawn([0, 1, 2])
    first, second = (fit_linear(vectors, targets, regularisation=1.0, standardise=False) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)


def test_a_constant_dimension_does_no_harm():
    vectors, targets = drawn([0, 1])
    vectors[:, 0] = 7.0
    assert np.isfinite(fit_linear(vectors, targets, regularisation=1.0, standardise=True).weights).all()


def test_a_higher_temperature_is_less_sure_of_the_same_label():
    vectors, targets = drawn([0, 1, 2])
    classifier = fit_linear(vectors, targets, regularisation=1.0, standardise=True)
    sure, unsure = classifier.probabilities(vectors, 3), classifier.at_temperature(3.0).probabilities(vectors, 3)
    assert np.array_equal(sure.argmax(axis=1), unsure.argmax(axis=1))
    assert (unsure.max(axis=1) <= sure.max(axis=1) + 1e-6).all()


def test_softmax_survives_huge_logits():
    assert np.allclose(softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])), [[1, 0], [0.5, 0.5]])
