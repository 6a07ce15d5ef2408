"""From predictions to scores with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from include.models.evaluation.cross_validation import Predicted
from include.models.evaluation.intervals import mean_interval, share_interval, statistic_interval
from include.models.evaluation.metrics import (
    calibration_error,
    class_scores,
    confusion_matrix,
    coverage_curve,
    macro_f1,
    negative_log_likelihood,
    reliability_bins,
)
from include.models.evaluation.results import Interval, ListResult, ModalityResult, OperatingPoint, Slice

_MISTAKES_SHOWN = 50


def score_modality(
    predicted: Predicted,
    groups: np.ndarray,
    *,
    title: str,
    modality: str,
    image_encoder: str | None,
    target_precision: float,
    slices: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
) -> ModalityResult:
    """All scores of one way to predict.

    `groups` is the content group of each product of the data set, int64; `slices` are positions in the data set.
    """
    groups = groups[predicted.rows]
    targets, found, confidences, correct = predicted.targets, predicted.found, predicted.confidences, predicted.correct
    occurring = np.union1d(targets, found)
    names = tuple(predicted.label_names[number] for number in occurring.tolist())
    confusion = confusion_matrix(np.searchsorted(occurring, targets), np.searchsorted(occurring, found), len(names))
    return ModalityResult(
        title=title,
        modality=modality,
        image_encoder=image_encoder,
        products=len(np.unique(predicted.rows)),
        accuracy=share_interval(correct, groups, seed),
        macro_f1=statistic_interval(lambda weights: macro_f1(targets, found, weights), groups, seed),
        calibration_error=statistic_interval(
            lambda weights: calibration_error(confidences, correct, weights), groups, seed
        ),
        log_loss=mean_interval(negative_log_likelihood(predicted.probabilities, targets), groups, seed),
        label_names=names,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        classes=class_scores(confusion, names),
        reliability=reliability_bins(confidences, correct),
        coverage_curve=coverage_curve(confidences, correct),
        operating_point=_operating_point(predicted, groups, target_precision, seed),
        slices=_score_slices(predicted, groups, slices or {}, seed),
    )


def _operating_point(predicted: Predicted, groups: np.ndarray, target: float, seed: int) -> OperatingPoint:
    accepted, correct = predicted.accepted, predicted.correct
    precision = share_interval(correct[accepted], groups[accepted], seed) if accepted.any() else None
    return OperatingPoint(target, precision, share_interval(accepted, groups, seed))


def _score_slices(
    predicted: Predicted, groups: np.ndarray, slices: Mapping[str, np.ndarray], seed: int
) -> tuple[Slice, ...]:
    scored = []
    for name, rows in slices.items():
        chosen = np.isin(predicted.rows, rows)
        if not chosen.any():
            continue
        part = predicted.take(chosen)
        scored.append(
            Slice(
                name=name,
                products=len(np.unique(part.rows)),
                accuracy=share_interval(part.correct, groups[chosen], seed),
                macro_f1=macro_f1(part.targets, part.found, np.ones(len(part.rows))),
                coverage=float(part.accepted.mean()),
            )
        )
    return tuple(scored)


def score_list(
    predicted: Predicted, groups: np.ndarray, product_ids: Sequence[str], label: str, seed: int = 0
) -> ListResult:
    """One label against all else on a hand-read list, from the likeliest label of each product, accepted or not.

    The list must hold products of that label. `groups` (int64) and `product_ids` are those of the data set.
    """
    groups = groups[predicted.rows]
    wanted = np.array([predicted.label_names[number] == label for number in predicted.targets.tolist()], dtype=bool)
    given = np.array([predicted.label_names[number] == label for number in predicted.found.tolist()], dtype=bool)
    confidences = predicted.confidences
    mistakes = [
        (
            product_ids[int(predicted.rows[row])],
            predicted.label_names[int(predicted.targets[row])],
            predicted.label_names[int(predicted.found[row])],
            round(float(confidences[row]), 4),
        )
        for row in np.flatnonzero(wanted != given)
    ]
    return ListResult(
        label=label,
        products=len(wanted),
        positives=int(wanted.sum()),
        precision=share_interval(wanted[given], groups[given], seed) if given.any() else None,
        recall=share_interval(given[wanted], groups[wanted], seed),
        accuracy=share_interval(predicted.correct, groups, seed),
        mistakes=tuple(sorted(mistakes, key=lambda row: -row[3])[:_MISTAKES_SHOWN]),
    )


def ari_interval(clusters: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int = 0) -> Interval:
    """Adjusted Rand index of clusters and labels, int64 (n,) each; the clusters are not made again for a resample."""
    labels = np.unique(labels, return_inverse=True)[1]

    def index(weights: np.ndarray) -> float:
        table = np.zeros((int(labels.max()) + 1, int(clusters.max()) + 1))
        np.add.at(table, (labels, clusters), weights)
        return adjusted_rand_index(table)

    return statistic_interval(index, groups, seed)


def adjusted_rand_index(table: np.ndarray) -> float:
    """The index of a contingency table (Hubert and Arabie, 1985): 1 the same groups, about 0 chance."""

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = rows * columns / max(pairs(table.sum(keepdims=True)), 1.0)
    most = (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)
