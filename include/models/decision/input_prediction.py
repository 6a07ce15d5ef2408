"""Prediction from one input: probabilities of its classifier, and signals of its out-of-distribution detector."""

from __future__ import annotations

import numpy as np

from include.models.classifier.classifier import Classifier
from include.models.classifier.linear import log_sum_exp, softmax
from include.models.decision.out_of_distribution import OutOfDistributionDetector


def predict_input(
    classifier: Classifier | None,
    detector: OutOfDistributionDetector | None,
    vectors: np.ndarray,
    present: np.ndarray,
    probabilities: np.ndarray,
    signals: np.ndarray,
) -> np.ndarray:
    """Write probabilities (n, k), and closeness and energy (n, 2), of the rows that are present into the given arrays.

    Returns the features of these rows.
    """
    if classifier is None or detector is None or not present.any():
        return np.empty((0, 0))
    selected = (vectors if present.all() else vectors[present]).astype(np.float32, copy=False)
    features = classifier.feature_map.apply(selected)
    logits = classifier.head.logits(features)
    signals[present, 0] = detector.closeness(selected)
    signals[present, 1] = log_sum_exp(logits)
    probabilities[np.ix_(present, classifier.known)] = softmax(logits)
    return features
