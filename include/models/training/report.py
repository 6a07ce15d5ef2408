"""How good a model was on products that it had not seen, and what it was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from include.errors import ConfigurationError
from include.models.decision.calibration import NEVER, expected_calibration_error, log_loss
from include.models.decision.predictions import Predictions


@dataclass(frozen=True)
class Scores:
    """Out-of-fold scores of one modality. `*_spread` is the standard deviation over the folds."""

    examples: int
    accuracy: float
    accuracy_spread: float
    macro_f1: float
    macro_f1_spread: float
    log_loss: float
    """Mean negative log-likelihood, nats."""
    calibration_error: float
    """Expected calibration error, ten bins of equal width."""
    threshold: float | None
    """Lowest accepted confidence; None when nothing is accepted, or when it differs between rows."""
    coverage: float
    """Share of the examples that were accepted."""
    accepted_precision: float
    """Share of the accepted that were right; 0 when nothing was accepted."""


@dataclass(frozen=True)
class TrainingReport:
    """Everything that a person wants to know of one training; plain and as JSON."""

    scores: Mapping[str, Scores]
    """By modality: `text`, `photo`, `fusion` (each on the products that have it), and `overall` (as in production)."""
    labels: Mapping[str, Mapping[str, float]]
    """Per label: examples, precision and recall as in production."""
    examples_by_origin: Mapping[str, Mapping[str, int]]
    """Per label: examples by origin of their label."""
    accuracy_by_origin: Mapping[str, float]
    """Overall accuracy by origin: labels by `rule` are weak evidence."""
    rejected: Mapping[str, int]
    rare_labels: Mapping[str, int]
    target_precision: float
    folds: int
    details: Mapping[str, float | str]
    """Method: temperatures, fusion weights, dimensions, encoders."""
    seconds: float

    def metrics(self) -> dict[str, float]:
        """Flat figures for the registry, e.g. `text_accuracy`, `fusion_coverage`."""
        flat = {
            f"{modality}_{name}": float(value)
            for modality, scores in self.scores.items()
            for name, value in asdict(scores).items()
            if value is not None
        }
        flat |= {f"recall_{label}": values["recall"] for label, values in self.labels.items()}
        return flat | {"examples": float(self.scores["overall"].examples), "seconds": self.seconds}

    def params(self) -> dict[str, str]:
        """Method and data for the registry, as text."""
        return {
            **{name: str(value) for name, value in self.details.items()},
            "labels": ",".join(self.labels),
            "rare_labels": json.dumps(dict(self.rare_labels)),
            "rejected": json.dumps(dict(self.rejected)),
            "target_precision": str(self.target_precision),
            "folds": str(self.folds),
        }

    def to_json(self) -> str:
        """The whole report as JSON."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, default=dict)

    @classmethod
    def from_json(cls, text: str) -> TrainingReport:
        """What `to_json` wrote; ConfigurationError when the text is something else."""
        from pydantic import TypeAdapter, ValidationError

        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError as error:
            raise ConfigurationError(
                f"this is no training report of this version of the program ({error.error_count()} differences): run "
                "`python -m include train` again"
            ) from None

    def to_text(self) -> str:
        """The report as plain text tables, for a terminal."""
        lines = [
            f"Out-of-fold scores ({self.folds} folds, ± standard deviation over folds; accepted: target precision "
            f"{self.target_precision})",
            f"{'':8} {'examples':>8} {'accuracy':>14} {'macro-F1':>14} {'ECE':>6} {'accepted':>9} {'precision':>9}",
        ]
        for modality, scores in self.scores.items():
            lines.append(
                f"{modality:8} {scores.examples:8d} {scores.accuracy:7.3f} ±{scores.accuracy_spread:.3f} "
                f"{scores.macro_f1:7.3f} ±{scores.macro_f1_spread:.3f} {scores.calibration_error:6.3f} "
                f"{scores.coverage:9.1%} {scores.accepted_precision:9.3f}"
            )
        if "fusion_reason" in self.details:
            lines.append(f"text and photo together: {self.details['fusion_used']} ({self.details['fusion_reason']})")
        lines += ["", f"{'label':20} {'examples':>8} {'precision':>9} {'recall':>7}  by origin"]
        for label, values in self.labels.items():
            origins = ", ".join(f"{origin} {count}" for origin, count in self.examples_by_origin[label].items())
            lines.append(
                f"{label:20} {values['examples']:8.0f} {values['precision']:9.3f} {values['recall']:7.3f}  {origins}"
            )
        if self.rare_labels:
            lines.append(f"left out, too few examples: {dict(self.rare_labels)}")
        if self.rejected:
            lines.append(f"rows not used: {dict(self.rejected)}")
        return "\n".join(lines)


def score(predictions: Predictions, targets: np.ndarray, folds: np.ndarray, threshold: float | None) -> Scores:
    """Scores of out-of-fold predictions for int64 targets and fold numbers, all of length n."""
    correct = predictions.label_index == targets
    by_fold = [folds == fold for fold in np.unique(folds)]
    accepted = predictions.is_accepted
    return Scores(
        examples=len(targets),
        accuracy=float(correct.mean()) if len(targets) else 0.0,
        accuracy_spread=_spread([float(correct[rows].mean()) for rows in by_fold]),
        macro_f1=macro_f1(predictions.label_index, targets),
        macro_f1_spread=_spread([macro_f1(predictions.label_index[rows], targets[rows]) for rows in by_fold]),
        log_loss=log_loss(predictions.probabilities, targets) if len(targets) else 0.0,
        calibration_error=expected_calibration_error(predictions.confidences, correct),
        threshold=None if threshold is None or threshold >= NEVER else threshold,
        coverage=float(accepted.mean()) if len(targets) else 0.0,
        accepted_precision=float(correct[accepted].mean()) if accepted.any() else 0.0,
    )


def macro_f1(found: np.ndarray, targets: np.ndarray) -> float:
    """Mean F1 over the labels that occur in the targets; 0 for no rows."""
    present = np.unique(targets)
    if not len(present):
        return 0.0
    return float(np.mean([_f1(found == label, targets == label) for label in present]))


def _f1(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(2 * (found & wanted).sum() / (found.sum() + wanted.sum()))


def _spread(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
