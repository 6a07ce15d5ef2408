"""Calibration of confidences: temperature, isotonic regression, expected calibration error, and thresholds.

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
"""Confidence level, one-sided, at which a threshold must reach its precision."""
ISOTONIC_ROWS = 2_000
"""Held-out rows from which isotonic regression is preferred to a temperature, whose variance is smaller on fewer."""

_LEAST = 1e-9
_COLDEST, _HOTTEST = 0.02, 20.0


@dataclass(frozen=True, eq=False)
class ConfidenceMap:
    """A monotonic, piecewise linear function from a confidence to a calibrated one."""

    raw: np.ndarray
    calibrated: np.ndarray
    """float64 (points,) both, ascending, in [0, 1]."""

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
        calibrated = np.interp(confidence, self.raw, self.calibrated)
        # The smallest value with which the label stays the likeliest when the others share the remainder.
        least = second / np.maximum(1 - confidence + second, _LEAST)
        calibrated = np.clip(calibrated, least, 1.0)
        scaled = rest * ((1 - calibrated) / np.maximum(rest.sum(axis=1), _LEAST))[:, None]
        scaled[rows, top] = calibrated
        return np.asarray(scaled / scaled.sum(axis=1, keepdims=True), dtype=np.float32)


def fit_confidence_map(confidences: np.ndarray, correct: np.ndarray) -> ConfidenceMap:
    """Isotonic regression of correctness, bool (n,), on the confidence, float (n,), of held-out rows (n ≥ 1)."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(confidences.astype(np.float64), correct.astype(np.float64))
    return ConfidenceMap(np.asarray(model.X_thresholds_), np.asarray(model.y_thresholds_))


def log_loss(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Mean negative log-likelihood of (n, k) probabilities for (n,) targets, in nats."""
    of_target = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(of_target, _LEAST)).mean())


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The temperature in [0.02, 20] that maximises the likelihood of held-out targets (n,) under (n, k) logits.

    1.0 for no rows.
    """
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


def threshold_for_precision(
    confidences: np.ndarray, correct: np.ndarray, precision: float, min_rows: int = 20
) -> float:
    """The lowest threshold whose precision on held-out predictions is proven to be `precision`; NEVER if none is.

    A precision is proven if the lower bound of the exact binomial interval (Clopper and Pearson, 1934) at the level
    `PROOF` reaches it: for 0.98 that takes 149 rows without an error, or 740 rows with at most 7. A few rows that
    happen to be right are no proof, and the accepted rows are usually more precise than required. At least `min_rows`
    rows lie above the threshold; rows of equal confidence are accepted or rejected together.
    """
    if not len(confidences):
        return NEVER
    order = np.argsort(-confidences, kind="stable")
    sorted_confidences = confidences[order]
    accepted = np.arange(1, len(order) + 1)
    reached = proven_precision(np.cumsum(correct[order]), accepted) >= precision
    last_of_equal = np.append(sorted_confidences[1:] != sorted_confidences[:-1], True)
    usable = np.flatnonzero(reached & last_of_equal & (accepted >= min_rows))
    return float(sorted_confidences[usable[-1]]) if len(usable) else NEVER


def proven_precision(right: np.ndarray, accepted: np.ndarray) -> np.ndarray:
    """The precision in [0, 1] that `right` correct rows of `accepted` prove at the level `PROOF`."""
    from scipy.special import betaincinv

    return np.where(right > 0, betaincinv(np.maximum(right, 1), accepted - right + 1, 1 - PROOF), 0.0)


def rows_to_prove(precision: float) -> int:
    """How many rows prove a precision if all of them are correct."""
    return int(np.ceil(np.log(1 - PROOF) / np.log(precision)))
