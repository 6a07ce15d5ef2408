"""Confidence that means what it says: temperature, isotonic regression, expected calibration error, thresholds.

Temperature scaling and the error's definition (bins of equal width) follow Guo et al., "On Calibration of
Modern Neural Networks", 2017; isotonic regression of the confidence follows Zadrozny and Elkan, 2002.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.models.classifier.linear import softmax

NEVER = 2.0
"""A threshold that no probability reaches."""

PROOF = 0.95
"""How sure one must be that a threshold reaches its precision (one-sided)."""
ISOTONIC_ROWS = 2_000
"""Held-out rows from which isotonic regression is steadier than a temperature's one number."""

_LEAST = 1e-9
_COLDEST, _HOTTEST = 0.02, 20.0


@dataclass(frozen=True, eq=False)
class ConfidenceMap:
    """A rising, piecewise linear function from a confidence to a calibrated one."""

    raw: np.ndarray
    calibrated: np.ndarray
    """float64 (points,) both, rising, in [0, 1]."""

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """(n, k) probabilities whose largest is calibrated and stays the largest; rows still sum to 1."""
        if not len(probabilities):
            return probabilities
        rows = np.arange(len(probabilities))
        top = probabilities.argmax(axis=1)
        confidence = probabilities[rows, top].astype(np.float64)
        rest = probabilities.astype(np.float64)
        rest[rows, top] = 0.0
        second = rest.max(axis=1)
        wanted = np.interp(confidence, self.raw, self.calibrated)
        # What it takes to stay the likeliest once the others share the remainder.
        least = second / np.maximum(1 - confidence + second, _LEAST)
        wanted = np.clip(wanted, least, 1.0)
        scaled = rest * ((1 - wanted) / np.maximum(rest.sum(axis=1), _LEAST))[:, None]
        scaled[rows, top] = wanted
        return np.asarray(scaled / scaled.sum(axis=1, keepdims=True), dtype=np.float32)


def fit_confidence_map(confidences: np.ndarray, correct: np.ndarray) -> ConfidenceMap:
    """Isotonic regression of being right on the confidence of held-out rows (at least one)."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(confidences.astype(np.float64), correct.astype(np.float64))
    return ConfidenceMap(np.asarray(model.X_thresholds_), np.asarray(model.y_thresholds_))


def log_loss(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Mean negative log-likelihood of (n, k) probabilities for (n,) targets, in nats."""
    of_target = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(of_target, _LEAST)).mean())


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The divisor in [0.02, 20] of (n, k) logits that makes held-out targets likeliest; 1.0 for no rows."""
    from scipy.optimize import minimize_scalar

    if not len(targets):
        return 1.0
    found = minimize_scalar(
        lambda exponent: log_loss(softmax(logits / np.exp(exponent)), targets),
        bounds=(np.log(_COLDEST), np.log(_HOTTEST)),
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
    """The lowest confidence from which on held-out predictions prove a precision; NEVER if none does.

    Proof is the lower end of the exact binomial interval (Clopper and Pearson, 1934) at `PROOF`: 149 rows without
    a mistake prove 0.98, of 740 rows 7 may be wrong. So a handful of lucky rows is no proof, and what is accepted
    is as a rule better than asked for. At least `least` rows lie above the threshold; equal confidences are
    accepted or refused together.
    """
    if not len(confidences):
        return NEVER
    order = np.argsort(-confidences, kind="stable")
    sorted_confidences = confidences[order]
    accepted = np.arange(1, len(order) + 1)
    reached = proven_precision(np.cumsum(correct[order]), accepted) >= precision
    last_of_equal = np.append(sorted_confidences[1:] != sorted_confidences[:-1], True)
    usable = np.flatnonzero(reached & last_of_equal & (accepted >= least))
    return float(sorted_confidences[usable[-1]]) if len(usable) else NEVER


def proven_precision(right: np.ndarray, accepted: np.ndarray) -> np.ndarray:
    """The precision that `right` of `accepted` rows prove at `PROOF`, in [0, 1]."""
    from scipy.special import betaincinv

    return np.where(right > 0, betaincinv(np.maximum(right, 1), accepted - right + 1, 1 - PROOF), 0.0)


def rows_to_prove(precision: float) -> int:
    """How many rows prove a precision when none of them is wrong."""
    return int(np.ceil(np.log(1 - PROOF) / np.log(precision)))
