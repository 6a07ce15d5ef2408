from __future__ import annotations

import numpy as np
import pytest

from include.models.decision.calibration import NEVER
from include.models.decision.predictions import Predictions
from include.models.training.tuning import thresholds_by_label

NAMES = ("champagne", "vinegar", "watches")


def predicted(rows_of: dict[int, int], right: dict[int, float]) -> tuple[Predictions, np.ndarray]:
    """Predictions of given numbers of rows by label, right in given shares of the confident ones, and the targets."""
    chance = np.random.default_rng(0)
    labels = np.repeat(list(rows_of), list(rows_of.values()))
    confidence = chance.uniform(0.4, 1.0, len(labels))
    probabilities = np.tile(((1 - confidence) / 2)[:, None], 3).astype(np.float32)
    probabilities[np.arange(len(labels)), labels] = confidence
    is_right = chance.random(len(labels)) < np.array([right[label] for label in labels.tolist()])
    targets = np.where(is_right | (confidence > 0.9), labels, (labels + 1) % 3)
    everything = np.ones(len(labels), dtype=bool)
    return Predictions(NAMES, probabilities, np.zeros(len(labels), dtype=np.int64), everything), targets


def test_a_label_with_rows_enough_has_a_threshold_of_its_own():
    found, targets = predicted({0: 700, 1: 700, 2: 60}, {0: 1.0, 1: 0.7, 2: 1.0})
    pooled, table = thresholds_by_label(found, targets, 0.95)
    assert table[0] < pooled < table[1]
    assert table[2] == pytest.approx(pooled)
    correct, accepted = found.label_index == targets, found.confidences >= table[found.label_index]
    for label in (0, 1):
        assert correct[accepted & (found.label_index == label)].mean() >= 0.95


def test_few_rows_share_one_threshold():
    found, targets = predicted({0: 60, 1: 60, 2: 60}, {0: 1.0, 1: 0.9, 2: 1.0})
    pooled, table = thresholds_by_label(found, targets, 0.95)
    assert len(set(table.tolist())) == 1
    assert table[0] == pytest.approx(pooled)


def test_a_precision_that_nothing_proves_accepts_nothing():
    found, targets = predicted({0: 100, 1: 100, 2: 100}, {0: 0.5, 1: 0.5, 2: 0.5})
    pooled, table = thresholds_by_label(found, targets, 0.99)
    assert pooled == NEVER
    assert (table == NEVER).all()
