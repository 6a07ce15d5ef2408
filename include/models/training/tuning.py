"""What is chosen on out-of-fold predictions: temperatures, the fusion, the thresholds and the guard's limits.

A few numbers chosen on hundreds of rows or more: they are not fitted in folds of their own, because what they
could learn by heart is far below the spread between folds. A stacked correction has many, and is judged by
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
from include.models.decision.familiarity import SIGNALS, familiar_limits
from include.models.decision.policy import FUSION, PHOTO, TEXT, Decider, Opinions, thresholds_table
from include.models.decision.predictions import MODALITIES, Predictions
from include.models.decision.written_rules import fit_agreement
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
    decider: Decider
    fusion_choice: FusionChoice
    thresholds: Mapping[str, float]
    """By modality, of labels without a threshold of their own."""
    rows: Mapping[str, np.ndarray]
    """Positions of the examples that `predictions` are about, by modality and `overall` (all of them)."""
    predictions: Mapping[str, Predictions]
    """`text` and `photo` alone, `fusion` where an example has both, `overall` from what it has."""


@dataclass(frozen=True, eq=False)
class _OutOfFold:
    """Out-of-fold outputs of the classifiers, by the inputs that a prediction uses."""

    uses: Mapping[str, Opinions]
    rows: Mapping[str, np.ndarray]
    """Positions of the examples that have what a use looks at."""
    targets: np.ndarray
    """int64 (n,), of all examples."""

    def predict(self, modality: str, decider: Decider) -> tuple[Predictions, np.ndarray]:
        """Predictions for the rows of a use, and their targets."""
        rows = self.rows[modality]
        return decider.decide(self.uses[modality]).take(rows), self.targets[rows]


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
    opinions = _opinions(examples, held_out, photo_labels, text_temperature, photo_temperature, joint_temperature)
    choice = choose_fusion(opinions, both, photo_labels, targets, folds, recipe.fusion)
    out_of_fold = _by_inputs(examples, opinions, has_text, has_photo)
    decider = Decider(
        label_names=examples.label_names,
        prior=((np.bincount(targets, minlength=count) + 1) / (len(targets) + count)).astype(np.float32),
        fusion=choice.fusion,
        photo_labels=photo_labels,
        thresholds=thresholds_table({}, count),
        fusion_used=choice.used,
    )
    # Each of these rests on what the ones before have chosen.
    agreement = fit_agreement(decider.decide(out_of_fold.uses["overall"]).probabilities, examples.said_by_rule, targets)
    decider = replace(decider, rule_weight=recipe.rule_weight, agreement_weight=agreement)
    decider = _calibrated(decider, out_of_fold, recipe)
    decider = _with_familiarity_limits(decider, out_of_fold, options)
    decider, thresholds = _with_thresholds(decider, out_of_fold, options)
    return Tuned(
        text_temperature=text_temperature,
        photo_temperature=photo_temperature,
        joint_temperature=joint_temperature,
        decider=decider,
        fusion_choice=choice,
        thresholds=thresholds,
        rows=out_of_fold.rows,
        predictions={modality: out_of_fold.predict(modality, decider)[0] for modality in out_of_fold.uses},
    )


def _by_inputs(examples: Examples, opinions: Opinions, has_text: np.ndarray, has_photo: np.ndarray) -> _OutOfFold:
    nothing, both = np.zeros(len(examples), dtype=bool), has_text & has_photo
    uses = {
        "text": replace(opinions, has_text=has_text, has_photo=nothing),
        "photo": replace(opinions, has_text=nothing, has_photo=has_photo, said_by_rule=None),
        "fusion": replace(opinions, has_text=both, has_photo=both),
        "overall": replace(opinions, has_text=has_text, has_photo=examples.has_photo),
    }
    rows = {modality: np.flatnonzero(use.has_text | use.has_photo) for modality, use in uses.items()}
    return _OutOfFold(uses, rows, examples.targets)


def _calibrated(decider: Decider, out_of_fold: _OutOfFold, recipe: Recipe) -> Decider:
    for modality, number in _NUMBERS.items():
        found, targets = out_of_fold.predict(modality, decider)
        resting = found.modality_index == number
        if recipe.calibration == "isotonic" or (recipe.calibration == "auto" and resting.sum() >= ISOTONIC_ROWS):
            decider = _with_confidence_map(decider, number, found, resting, targets)
    return decider


def _with_familiarity_limits(decider: Decider, out_of_fold: _OutOfFold, options: TrainingOptions) -> Decider:
    limits = np.full((len(MODALITIES), len(SIGNALS)), -np.inf)
    for modality, number in _NUMBERS.items():
        resting = out_of_fold.rows[modality][out_of_fold.predict(modality, decider)[0].modality_index == number]
        columns = _SIGNALS_OF[number]
        signals = np.asarray(out_of_fold.uses[modality].signals)[np.ix_(resting, columns)]
        limits[number, columns] = familiar_limits(signals, options.familiar_share)
    return replace(decider, limits=limits)


def _with_thresholds(
    decider: Decider, out_of_fold: _OutOfFold, options: TrainingOptions
) -> tuple[Decider, dict[str, float]]:
    """The decider with its thresholds, and those over all labels by modality."""
    thresholds, tables = {}, {}
    for modality, number in _NUMBERS.items():
        if modality == "photo" and len(decider.photo_labels) < len(decider.label_names):
            # A photo of a kind that the photo classifier never saw would be called one of the kinds it knows.
            continue
        found, targets = out_of_fold.predict(modality, decider)
        used = (found.modality_index == number) & ~found.is_unfamiliar & ~found.is_contradicted
        thresholds[modality], tables[number] = thresholds_by_label(
            found.take(used), targets[used], options.target_precision
        )
    return replace(decider, thresholds=thresholds_table(tables, len(decider.label_names))), thresholds


def _opinions(
    examples: Examples,
    held_out: HeldOut,
    photo_labels: np.ndarray,
    text_temperature: float,
    photo_temperature: float,
    joint_temperature: float,
) -> Opinions:
    text, photo = held_out.text / text_temperature, held_out.photo / photo_temperature
    signals = held_out.signals.copy()
    signals[:, 1], signals[:, 3] = log_sum_exp(text), log_sum_exp(photo)
    return Opinions(
        text=softmax(text).astype(np.float32),
        has_text=examples.has_text,
        photo=softmax(photo).astype(np.float32),
        has_photo=examples.has_photo,
        joint=held_out.joint[:, photo_labels] / joint_temperature if held_out.has_joint else None,
        signals=signals,
        said_by_rule=examples.said_by_rule,
    )


def _with_confidence_map(
    decider: Decider, number: int, found: Predictions, resting: np.ndarray, targets: np.ndarray
) -> Decider:
    if not resting.any():
        return decider
    correct = found.label_index[resting] == targets[resting]
    fitted = fit_confidence_map(found.confidences[resting], correct)
    return replace(decider, confidence_maps={**decider.confidence_maps, number: fitted})


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
