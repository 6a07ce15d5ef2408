"""Scores of predictions, each product counted with a weight.

The weights are what the intervals need: a resample of products is a weight of 0, 1, 2, … for each of them.
All arguments are arrays of the same length n; targets and found labels are positions in the label list.
"""

from __future__ import annotations

import numpy as np

from include.models.evaluation.results import ClassScores, CoveragePoint, ReliabilityBin

CALIBRATION_BINS = 10
_LEAST = 1e-9


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Mean of values (n,); 0 when all weights are 0."""
    total = float(weights.sum())
    return float(values @ weights) / total if total else 0.0


def negative_log_likelihood(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Per product, float64 (n,), nats; `probabilities` is (n, k)."""
    of_target = probabilities[np.arange(len(targets)), targets].astype(np.float64)
    return np.asarray(-np.log(np.maximum(of_target, _LEAST)))


def macro_f1(targets: np.ndarray, found: np.ndarray, weights: np.ndarray) -> float:
    """Mean F1 over the labels that occur in the targets; 0 for no products."""
    count = int(max(targets.max(initial=0), found.max(initial=0))) + 1
    wanted = np.bincount(targets, weights=weights, minlength=count)
    given = np.bincount(found, weights=weights, minlength=count)
    hit = targets == found
    hits = np.bincount(targets[hit], weights=weights[hit], minlength=count)
    present = wanted > 0
    return float((2 * hits[present] / (wanted + given)[present]).mean()) if present.any() else 0.0


def calibration_error(confidences: np.ndarray, correct: np.ndarray, weights: np.ndarray) -> float:
    """Expected calibration error over ten bins of equal width (Guo et al., 2017), in [0, 1]."""
    total = float(weights.sum())
    if not total:
        return 0.0
    gap = np.bincount(_bin(confidences), weights=weights * (confidences - correct), minlength=CALIBRATION_BINS)
    return float(np.abs(gap).sum() / total)


def reliability_bins(confidences: np.ndarray, correct: np.ndarray) -> tuple[ReliabilityBin, ...]:
    """The bins of the calibration error that hold products."""
    numbers = _bin(confidences)
    return tuple(
        ReliabilityBin(
            low=round(number / CALIBRATION_BINS, 4),
            high=round((number + 1) / CALIBRATION_BINS, 4),
            confidence=float(confidences[numbers == number].mean()),
            accuracy=float(correct[numbers == number].mean()),
            count=int((numbers == number).sum()),
        )
        for number in np.unique(numbers).tolist()
    )


def coverage_curve(confidences: np.ndarray, correct: np.ndarray, points: int = 100) -> tuple[CoveragePoint, ...]:
    """Precision and coverage at some thresholds, from the highest to the lowest; equal confidences stay together."""
    order = np.argsort(-confidences, kind="stable")
    confidences, right = confidences[order], np.cumsum(correct[order])
    last_of_equal = np.flatnonzero(np.append(confidences[1:] != confidences[:-1], True)) if len(order) else order
    chosen = np.unique(np.linspace(0, len(last_of_equal) - 1, min(points, len(last_of_equal))).round().astype(np.int64))
    return tuple(
        CoveragePoint(
            threshold=float(confidences[row]),
            coverage=float((row + 1) / len(order)),
            precision=float(right[row] / (row + 1)),
        )
        for row in last_of_equal[chosen].tolist()
    )


def confusion_matrix(targets: np.ndarray, found: np.ndarray, labels: int) -> np.ndarray:
    """Products by target (row) and found label (column), int64 (labels, labels)."""
    return np.bincount(targets * labels + found, minlength=labels * labels).reshape(labels, labels).astype(np.int64)


def class_scores(confusion: np.ndarray, label_names: tuple[str, ...]) -> tuple[ClassScores, ...]:
    """The per-class table of a confusion matrix; precision, recall and F1 are 0 where they are undefined."""
    hits = confusion.diagonal().astype(np.float64)
    given, wanted = confusion.sum(axis=0), confusion.sum(axis=1)
    precision, recall = hits / np.maximum(given, 1), hits / np.maximum(wanted, 1)
    f1 = 2 * hits / np.maximum(given + wanted, 1)
    return tuple(
        ClassScores(label, float(precision[i]), float(recall[i]), float(f1[i]), int(wanted[i]))
        for i, label in enumerate(label_names)
    )


def _bin(confidences: np.ndarray) -> np.ndarray:
    return np.clip((confidences * CALIBRATION_BINS).astype(np.int64), 0, CALIBRATION_BINS - 1)
