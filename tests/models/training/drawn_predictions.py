"""Predictions drawn by chance, for tests of what is counted of them."""

from __future__ import annotations

import numpy as np

from include.models.decision.predictions import Predictions
from include.models.monitoring.drift_statistics import DriftStatistics

LABELS = ("champagne", "vinegar", "watches", "chocolate")
DIMENSIONS = 5


def draw_predictions(count: int, seed: int = 0, labels: tuple[int, ...] = (0, 1, 2, 3)) -> Predictions:
    """Predictions of some of four labels, a third of them for review."""
    chance = np.random.default_rng(seed)
    probabilities = chance.dirichlet(np.ones(len(LABELS)), count).astype(np.float32)
    chosen = chance.choice(labels, count)
    rows = np.arange(count)
    best = probabilities.argmax(axis=1)
    probabilities[rows, best], probabilities[rows, chosen] = probabilities[rows, chosen], probabilities[rows, best]
    return Predictions(LABELS, probabilities, np.zeros(count, dtype=np.int64), chance.random(count) < 2 / 3)


def draw_vectors(count: int, seed: int = 0, shift: float = 0.0, absent: float = 0.2) -> np.ndarray:
    """float32 (count, DIMENSIONS) around `shift`, a share of the rows NaN."""
    chance = np.random.default_rng(seed)
    vectors = chance.normal(shift, 1.0, (count, DIMENSIONS)).astype(np.float32)
    vectors[chance.random(count) < absent] = np.nan
    return vectors


def draw_statistics(
    count: int, seed: int = 0, labels: tuple[int, ...] = (0, 1, 2, 3), shift: float = 0.0
) -> DriftStatistics:
    """The drift statistics of drawn products."""
    photos = draw_vectors(count, seed + 1, shift)
    return DriftStatistics.of(
        draw_predictions(count, seed, labels), np.isnan(photos[:, 0]), draw_vectors(count, seed, shift), photos
    )
