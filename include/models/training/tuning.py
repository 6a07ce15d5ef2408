"""What is chosen on out-of-fold predictions: temperatures, the fusion, the thresholds and the guard's limits.

A few numbers chosen on hundreds of rows or more: they are not fitted in folds of their own, because what they
could overfit is far below the spread between folds. A stacked correction has many, and is judged by
predictions of its own folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from include.models.classifier.linear import log_sum_exp, softmax
from include.models.classifier.recipe import Recipe
from include.models.data.dataset import Examples
from include.models.data.training_options import TrainingOptions
from include.models.decision.calibration import (
    ISOTONIC_ROWS,
    fit_confidence_map,
    fit_temperature,
    rows_to_prove,
    threshold_for_precision,
)
from include.models.decision.out_of_distribution import SIGNALS, familiar_limits
from include.models.decision.policy import FUSION, PHOTO, TEXT, ClassifierOutputs, DecisionPolicy, thresholds_table
from include.models.decision.predictions import MODALITIES, Predictions
from include.models.decision.written_rules import fit_agreement_weight
from include.models.training.fusion_choice import FusionChoice, choose_fusion
from include.models.training.held_out import HeldOut

_NUMBERS = {"text": TEXT, "photo": PHOTO, "fusion": FUSION}
_SIGNALS_OF = {TEXT: [0, 1], PHOTO: [2, 3], FUSION: [0, 1, 2, 3]}
"""Columns of `SIGNALS` that a modality's guard reads."""
_SURPLUS_FOR_OWN_THRESHOLD = 2
"""A label gets a threshold of its own when it has this many times the rows that could prove the precision."""


@dataclass(frozen=True, eq=False)
class Tuned:
    """What was chosen, and what it makes of the out-of-fold predictions."""

    text_temperature: float
    photo_temperature: float
    joint_temperature: float
    policy: DecisionPolicy
    fusion_choice: FusionChoice
    thresholds: Mapping[str, float]
    """By modality, of labels without a threshold of their own."""
    rows: Mapping[str, np.ndarray]
    """Positions of the examples that `predictions` are about, by modality and `overall` (all of them)."""
    predictions: Mapping[str, Predictions]
    """`text` and `photo` alone, `fusion` where an example has both, `overall` from what it has."""


@dataclass(frozen=True, eq=False)
class _OutOfFoldOutputs:
    """The out-of-fold outputs of the examples, by what a prediction may look at."""

    uses: Mapping[str, ClassifierOutputs]
    rows: Mapping[str, np.ndarray]
    """Positions of the examples that have what a use looks at."""
    targets: np.ndarray
    """int64 (n,), of all examples."""

    def predict(self, modality: str, policy: DecisionPolicy) -> tuple[Predictions, np.ndarray]:
        """Predictions for the rows of a use, and their targets."""
        rows = self.rows[modality]
        return policy.decide(self.uses[modality]).take(rows), self.targets[rows]


def tune(
    examples: Examples,
    folds: np.ndarray,
    held_out: HeldOut,
    photo_labels: np.ndarray,
    options: TrainingOptions,
    recipe: Recipe,
) -> Tuned:
    """Choose everything; `photo_labels` are the labels the photo classifier knows."""
    targets, count = examples.targets, len(examples.label_names)
    has_text, has_photo = examples.has_text, examples.has_photo & np.isin(targets, photo_labels)
    both = has_text & has_photo
    text_temperature = fit_temperature(held_out.text[has_text], targets[has_text])
    photo_temperature = fit_temperature(held_out.photo[has_photo], targets[has_photo])
    joint_temperature = 1.0
    if held_out.has_joint and both.any():
        position = np.searchsorted(photo_labels, targets[both])
        joint_temperature = fit_temperature(held_out.joint[both][:, photo_labels], position)
    outputs = _outputs(examples, held_out, photo_labels, text_temperature, photo_temperature, joint_temperature)
    choice = choose_fusion(outputs, both, photo_labels, targets, folds, recipe.fusion)
    out_of_fold = _by_modality(examples, outputs, has_text, has_photo)
    policy = DecisionPolicy(
        label_names=examples.label_names,
        prior=((np.bincount(targets, minlength=count) + 1) / (len(targets) + count)).astype(np.float32),
        fusion=choice.fusion,
        photo_labels=photo_labels,
        thresholds=thresholds_table({}, count),
        fusion_used=choice.used,
    )
    # Each of these rests on what the ones before have chosen.
    agreement = fit_agreement_weight(
        policy.decide(out_of_fold.uses["overall"]).probabilities, examples.rule_label_index, targets
    )
    policy = replace(policy, rule_weight=recipe.rule_weight, agreement_weight=agreement)
    policy = _calibrated(policy, out_of_fold, recipe)
    policy = _with_limits(policy, out_of_fold, options)
    policy, thresholds = _with_thresholds(policy, out_of_fold, options)
    return Tuned(
        text_temperature=text_temperature,
        photo_temperature=photo_temperature,
        joint_temperature=joint_temperature,
        policy=policy,
        fusion_choice=choice,
        thresholds=thresholds,
        rows=out_of_fold.rows,
        predictions={modality: out_of_fold.predict(modality, policy)[0] for modality in out_of_fold.uses},
    )


def _by_modality(
    examples: Examples, outputs: ClassifierOutputs, has_text: np.ndarray, has_photo: np.ndarray
) -> _OutOfFoldOutputs:
    nothing, both = np.zeros(len(examples), dtype=bool), has_text & has_photo
    uses = {
        "text": replace(outputs, has_text=has_text, has_photo=nothing),
        "photo": replace(outputs, has_text=nothing, has_photo=has_photo, rule_label_index=None),
        "fusion": replace(outputs, has_text=both, has_photo=both),
        "overall": replace(outputs, has_text=has_text, has_photo=examples.has_photo),
    }
    rows = {modality: np.flatnonzero(use.has_text | use.has_photo) for modality, use in uses.items()}
    return _OutOfFoldOutputs(uses, rows, examples.targets)


def _calibrated(policy: DecisionPolicy, out_of_fold: _OutOfFoldOutputs, recipe: Recipe) -> DecisionPolicy:
    for modality, number in _NUMBERS.items():
        found, targets = out_of_fold.predict(modality, policy)
        resting = found.modality_index == number
        if recipe.calibration == "isotonic" or (recipe.calibration == "auto" and resting.sum() >= ISOTONIC_ROWS):
            policy = _with_confidence_map(policy, number, found, resting, targets)
    return policy


def _with_limits(policy: DecisionPolicy, out_of_fold: _OutOfFoldOutputs, options: TrainingOptions) -> DecisionPolicy:
    limits = np.full((len(MODALITIES), len(SIGNALS)), -np.inf)
    for modality, number in _NUMBERS.items():
        resting = out_of_fold.rows[modality][out_of_fold.predict(modality, policy)[0].modality_index == number]
        columns = _SIGNALS_OF[number]
        signals = np.asarray(out_of_fold.uses[modality].signals)[np.ix_(resting, columns)]
        limits[number, columns] = familiar_limits(signals, options.familiar_share)
    return replace(policy, limits=limits)


def _with_thresholds(
    policy: DecisionPolicy, out_of_fold: _OutOfFoldOutputs, options: TrainingOptions
) -> tuple[DecisionPolicy, dict[str, float]]:
    """The policy with its thresholds, and those over all labels by modality."""
    thresholds, tables = {}, {}
    for modality, number in _NUMBERS.items():
        if modality == "photo" and len(policy.photo_labels) < len(policy.label_names):
            # A photo of a kind that the photo classifier never saw would be called one of the kinds it knows.
            continue
        found, targets = out_of_fold.predict(modality, policy)
        used = (found.modality_index == number) & ~found.is_unfamiliar & ~found.is_contradicted
        thresholds[modality], tables[number] = thresholds_by_label(
            found.take(used), targets[used], options.target_precision
        )
    return replace(policy, thresholds=thresholds_table(tables, len(policy.label_names))), thresholds


def _outputs(
    examples: Examples,
    held_out: HeldOut,
    photo_labels: np.ndarray,
    text_temperature: float,
    photo_temperature: float,
    joint_temperature: float,
) -> ClassifierOutputs:
    text, photo = held_out.text / text_temperature, held_out.photo / photo_temperature
    signals = held_out.signals.copy()
    signals[:, 1], signals[:, 3] = log_sum_exp(text), log_sum_exp(photo)
    return ClassifierOutputs(
        text=softmax(text).astype(np.float32),
        has_text=examples.has_text,
        photo=softmax(photo).astype(np.float32),
        has_photo=examples.has_photo,
        joint=held_out.joint[:, photo_labels] / joint_temperature if held_out.has_joint else None,
        signals=signals,
        rule_label_index=examples.rule_label_index,
    )


def _with_confidence_map(
    policy: DecisionPolicy, number: int, found: Predictions, resting: np.ndarray, targets: np.ndarray
) -> DecisionPolicy:
    if not resting.any():
        return policy
    correct = found.label_index[resting] == targets[resting]
    fitted = fit_confidence_map(found.confidences[resting], correct)
    return replace(policy, confidence_maps={**policy.confidence_maps, number: fitted})


def thresholds_by_label(found: Predictions, targets: np.ndarray, precision: float) -> tuple[float, np.ndarray]:
    """The threshold over all labels, and float32 (k,) one for each label.

    A label that was given to twice the rows that could prove the precision has its own, higher or lower; the others
    share the one over all labels.
    """
    correct, confidences = found.label_index == targets, found.confidences
    pooled = threshold_for_precision(confidences, correct, precision)
    table = np.full(len(found.label_names), pooled, dtype=np.float32)
    for label in range(len(found.label_names)):
        given = found.label_index == label
        if given.sum() >= _SURPLUS_FOR_OWN_THRESHOLD * rows_to_prove(precision):
            table[label] = threshold_for_precision(confidences[given], correct[given], precision)
    return pooled, table
