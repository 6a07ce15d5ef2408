"""Our weighted scores are those of scikit-learn and of the day's own calibration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from include.models.decision.calibration import expected_calibration_error
from include.models.evaluation.metrics import (
    calibration_error,
    class_scores,
    confusion_matrix,
    coverage_curve,
    macro_f1,
    negative_log_likelihood,
    reliability_bins,
    weighted_mean,
)

seeds = st.integers(0, 10_000)
sizes = st.integers(1, 60)


def draw(seed: int, size: int, labels: int = 4):
    chance = np.random.default_rng(seed)
    probabilities = chance.dirichlet(np.full(labels, 0.5), size).astype(np.float32)
    targets = np.where(chance.random(size) < 0.6, probabilities.argmax(axis=1), chance.integers(0, labels, size))
    return targets, probabilities, chance.integers(0, 3, size).astype(float)


@settings(max_examples=60, deadline=None)
@given(seeds, sizes)
def test_weighted_macro_f1_is_that_of_scikit_learn_over_the_labels_that_occur(seed, size):
    targets, probabilities, weights = draw(seed, size)
    found = probabilities.argmax(axis=1)
    occurring = np.unique(targets[weights > 0])
    expected = (
        reference.f1_score(targets, found, labels=occurring, average="macro", sample_weight=weights, zero_division=0.0)
        if len(occurring)
        else 0.0
    )
    assert macro_f1(targets, found, weights) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(seeds, sizes)
def test_a_weight_counts_as_so_many_copies_of_a_product(seed, size):
    targets, probabilities, weights = draw(seed, size)
    copies = np.repeat(np.arange(size), weights.astype(int))
    found, confidences = probabilities.argmax(axis=1), probabilities.max(axis=1).astype(float)
    correct = found == targets
    ones = np.ones(len(copies))
    assert macro_f1(targets, found, weights) == pytest.approx(macro_f1(targets[copies], found[copies], ones))
    assert calibration_error(confidences, correct, weights) == pytest.approx(
        calibration_error(confidences[copies], correct[copies], ones), abs=1e-9
    )
    assert weighted_mean(correct.astype(float), weights) == pytest.approx(
        correct[copies].mean() if len(copies) else 0.0
    )


@settings(max_examples=60, deadline=None)
@given(seeds, sizes)
def test_the_calibration_error_is_the_one_that_training_reports(seed, size):
    targets, probabilities, _ = draw(seed, size)
    confidences = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == targets
    ours = calibration_error(confidences.astype(float), correct, np.ones(size))
    assert ours == pytest.approx(expected_calibration_error(confidences, correct), abs=1e-5)
    bins = reliability_bins(confidences.astype(float), correct)
    assert sum(part.count for part in bins) == size
    from_bins = sum(part.count * abs(part.confidence - part.accuracy) for part in bins) / size
    assert from_bins == pytest.approx(ours, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(seeds, sizes)
def test_the_class_table_and_the_confusion_matrix_are_those_of_scikit_learn(seed, size):
    targets, probabilities, _ = draw(seed, size)
    found = probabilities.argmax(axis=1)
    names = ("a", "b", "c", "d")
    confusion = confusion_matrix(targets, found, 4)
    assert (confusion == reference.confusion_matrix(targets, found, labels=range(4))).all()
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        targets, found, labels=range(4), zero_division=0.0
    )
    for number, row in enumerate(class_scores(confusion, names)):
        assert (row.label, row.support) == (names[number], support[number])
        assert (row.precision, row.recall, row.f1) == pytest.approx((precision[number], recall[number], f1[number]))


def test_the_log_loss_is_that_of_scikit_learn():
    targets, probabilities, _ = draw(3, 50)
    probabilities = probabilities.astype(float) / probabilities.sum(axis=1, keepdims=True, dtype=float)
    expected = reference.log_loss(targets, probabilities, labels=range(4))
    assert negative_log_likelihood(probabilities, targets).mean() == pytest.approx(expected, rel=1e-3)


def test_a_certain_mistake_costs_much_but_not_everything():
    assert np.isfinite(negative_log_likelihood(np.array([[0.0, 1.0]]), np.array([0]))).all()


@settings(max_examples=60, deadline=None)
@given(seeds, sizes)
def test_every_point_of_the_coverage_curve_is_what_accepting_from_there_on_gives(seed, size):
    targets, probabilities, _ = draw(seed, size)
    confidences = np.round(probabilities.max(axis=1).astype(float), 1)  # many equal ones
    correct = probabilities.argmax(axis=1) == targets
    points = coverage_curve(confidences, correct, points=7)
    for point in points:
        accepted = confidences >= point.threshold
        assert point.coverage == pytest.approx(accepted.mean())
        assert point.precision == pytest.approx(correct[accepted].mean())
    assert [point.threshold for point in points] == sorted({point.threshold for point in points}, reverse=True)
    assert points[-1].coverage == 1.0


def test_no_products_have_no_score():
    empty = np.empty(0, dtype=np.int64)
    assert macro_f1(empty, empty, np.empty(0)) == 0.0
    assert calibration_error(np.empty(0), np.empty(0, dtype=bool), np.empty(0)) == 0.0
    assert coverage_curve(np.empty(0), np.empty(0, dtype=bool)) == ()
