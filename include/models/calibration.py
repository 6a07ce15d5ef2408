"""Confidence that means what it says: temperature, expected calibration error, threshold for a precision.

Temperature scaling and the error's definition (bins of equal width) follow Guo et al., "On Calibration of
Modern Neural Networks", 2017.
"""

from __future__ import annotations

import numpy as np

from include.models.linear import softmax

NEVER = 2.0
"""A threshold that no probability reaches."""

_LEAST = 1e-9


def log_loss(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Mean negative log-likelihood of (n, k) probabilities for (n,) targets, in nats."""
    of_target = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(of_target, _LEAST)).mean())


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The divisor in [0.2, 5] of (n, k) logits that makes held-out targets likeliest; 1.0 for no rows."""
    from scipy.optimize import minimize_scalar

    if not len(targets):
        return 1.0
    found = minimize_scalar(
        lambda exponent: log_loss(softmax(logits / np.exp(exponent)), targets),
        bounds=(np.log(0.2), np.log(5.0)),
        method="bounded",
    )
    return float(np.exp(found.x))


def expected_calibration_error(confidences: np.ndarray, correct: np.ndarray, bins: int = 10) -> float:
    """Mean distance between confidence and accuracy over bins of equal width, weighted by their rows; in [0, 1]."""
    if not len(confidences):
        return 0.0
    bin_of_row = np.minimum((confidences * bins).astype(np.int64), bins - 1)
    count = np.bincount(bin_of_row, minlength=bins)
    gap = np.bincount(bin_of_row, weights=confidences - correct, minlength=bins)
    return float(np.abs(gap).sum() / count.sum())


def threshold_for_precision(confidences: np.ndarray, correct: np.ndarray, precision: float, least: int = 20) -> float:
    """The lowest confidence from which on held-out predictions reach a precision; NEVER if none does.

    Counts one more error than was seen, so that a handful of lucky rows is no proof, and asks for `least`
    rows above the threshold. Equal confidences are accepted or refused together.
    """
    if not len(confidences):
        return NEVER
    order = np.argsort(-confidences, kind="stable")
    sorted_confidences = confidences[order]
    accepted = np.arange(1, len(order) + 1)
    reached = np.cumsum(correct[order]) / (accepted + 1) >= precision
    last_of_equal = np.append(sorted_confidences[1:] != sorted_confidences[:-1], True)
    usable = np.flatnonzero(reached & last_of_equal & (accepted >= least))
    return float(sorted_confidences[usable[-1]]) if len(usable) else NEVER
