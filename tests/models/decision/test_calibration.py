from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.models.classifier.linear import softmax
from include.models.decision.calibration import (
    NEVER,
    ConfidenceMap,
    expected_calibration_error,
    fit_confidence_map,
    fit_temperature,
    log_loss,
    proven_precision,
    rows_to_prove,
    threshold_for_precision,
)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_answers_is_found(temperature):
    chance = np.random.default_rng(0)
    true_logits = chance.normal(size=(20_000, 4)) * 2
    targets = np.array([chance.choice(4, p=row) for row in softmax(true_logits)])
    assert fit_temperature(true_logits * temperature, targets) == pytest.approx(temperature, rel=0.06)


def test_no_rows_ask_for_no_temperature():
    assert fit_temperature(np.empty((0, 3)), np.empty(0, dtype=np.int64)) == 1.0


def test_calibration_error_is_the_distance_between_confidence_and_accuracy():
    confidences = np.array([0.95] * 10 + [0.55] * 10)
    correct = np.array([True] * 10 + [True] * 3 + [False] * 7)
    assert expected_calibration_error(confidences, correct) == pytest.approx(0.5 * 0.05 + 0.5 * 0.25)
    assert expected_calibration_error(np.array([1.0]), np.array([True])) == 0.0
    assert expected_calibration_error(np.array([]), np.array([])) == 0.0


def test_log_loss_of_a_certain_mistake_is_finite():
    assert np.isfinite(log_loss(np.array([[1.0, 0.0]]), np.array([1])))


scored = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=80)


@given(scored, st.floats(0.5, 0.99))
def test_what_reaches_the_threshold_reaches_the_precision(pairs, precision):
    confidences = np.array([confidence for confidence, _ in pairs])
    correct = np.array([right for _, right in pairs], dtype=bool)
    threshold = threshold_for_precision(confidences, correct, precision, min_rows=5)
    accepted = confidences >= threshold
    if threshold == NEVER:
        assert not accepted.any()
    else:
        assert accepted.sum() >= 5
        assert correct[accepted].mean() >= precision


def test_the_threshold_is_the_lowest_that_does():
    confidences = np.linspace(1, 0, 100)
    correct = np.arange(100) < 60
    threshold = threshold_for_precision(confidences, correct, 0.9)
    assert correct[confidences >= threshold].mean() >= 0.9
    assert correct[confidences >= threshold - 0.06].mean() < 0.92


def test_a_handful_of_lucky_rows_proves_nothing():
    assert threshold_for_precision(np.ones(10), np.ones(10, dtype=bool), 0.5) == NEVER


def test_proof_needs_rows_without_a_mistake():
    assert rows_to_prove(0.98) == 149
    assert proven_precision(np.array([148, 149]), np.array([148, 149])).tolist() == pytest.approx(
        [0.98, 0.98], abs=2e-4
    )
    assert proven_precision(np.array([733, 0]), np.array([740, 5])).round(3).tolist() == [0.982, 0.0]


def test_isotonic_regression_brings_confidence_to_accuracy():
    chance = np.random.default_rng(0)
    confidences = chance.random(6_000)
    correct = chance.random(6_000) < confidences**2
    fitted = fit_confidence_map(confidences, correct)
    assert np.interp([0.3, 0.6, 0.9], fitted.raw, fitted.calibrated) == pytest.approx([0.09, 0.36, 0.81], abs=0.08)


@given(st.lists(st.lists(st.floats(1e-3, 1), min_size=3, max_size=3), min_size=1, max_size=8))
def test_a_calibrated_row_is_a_probability_with_the_same_first(raw):
    probabilities = np.array([[value / sum(row) for value in row] for row in raw], dtype=np.float32)
    found = ConfidenceMap(np.array([0.2, 0.5, 1.0]), np.array([0.0, 0.1, 0.7])).apply(probabilities)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    rows = np.arange(len(found))
    assert (found[rows, probabilities.argmax(axis=1)] >= found.max(axis=1) - 1e-6).all()
