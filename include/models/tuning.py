"""What is chosen on out-of-fold predictions: temperatures, the fusion's weights and the accept thresholds.

Five numbers chosen on hundreds of rows or more: they are not fitted in folds of their own, because what they
could learn by heart is far below the spread between folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from include.models.calibration import fit_temperature, threshold_for_precision
from include.models.dataset import Examples
from include.models.decision import FUSION, PHOTO, TEXT, Decider, thresholds_table
from include.models.fusion import fit_fusion
from include.models.linear import LinearClassifier, softmax
from include.models.predictions import Predictions
from include.settings import Settings

_UNSEEN = -30.0
"""Logit of a label that a fold's classifier never saw, and of rows without the input."""
_NUMBERS = {"text": TEXT, "photo": PHOTO, "fusion": FUSION}


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Logits of each example from classifiers that saw neither it nor its content group, float32 (n, k)."""

    text: np.ndarray
    photo: np.ndarray

    @classmethod
    def empty(cls, examples: int, labels: int) -> HeldOut:
        """No prediction yet."""
        return cls(*(np.full((examples, labels), _UNSEEN, dtype=np.float32) for _ in range(2)))

    def place(
        self, kind: Literal["text", "photo"], rows: np.ndarray, classifier: LinearClassifier, vectors: np.ndarray
    ) -> None:
        """Keep what a classifier says of some rows of `vectors`, float32 (n, dimensions)."""
        logits = self.text if kind == "text" else self.photo
        logits[np.ix_(rows, classifier.known)] = classifier.logits(vectors[rows])


@dataclass(frozen=True, eq=False)
class Tuned:
    """What was chosen, and what it makes of the out-of-fold predictions."""

    text_temperature: float
    photo_temperature: float
    decider: Decider
    thresholds: Mapping[str, float]
    """By modality."""
    rows: Mapping[str, np.ndarray]
    """Positions of the examples that `predictions` are about, by modality and `overall` (all of them)."""
    predictions: Mapping[str, Predictions]
    """`text` and `photo` alone, `fusion` where an example has both, `overall` from what it has."""


def tune(examples: Examples, held_out: HeldOut, photo_labels: np.ndarray, settings: Settings) -> Tuned:
    """Choose temperatures, fusion and thresholds; `photo_labels` are the labels the photo classifier knows."""
    targets, count = examples.targets, len(examples.label_names)
    has_text, has_photo = examples.has_text, examples.has_photo & np.isin(targets, photo_labels)
    nothing = np.zeros(len(examples), dtype=bool)
    text_temperature = fit_temperature(held_out.text[has_text], targets[has_text])
    photo_temperature = fit_temperature(held_out.photo[has_photo], targets[has_photo])
    text = softmax(held_out.text / text_temperature).astype(np.float32)
    photo = softmax(held_out.photo / photo_temperature).astype(np.float32)
    both = has_text & has_photo
    decider = Decider(
        label_names=examples.label_names,
        prior=((np.bincount(targets, minlength=count) + 1) / (len(targets) + count)).astype(np.float32),
        fusion=fit_fusion(text[both], photo[both], photo_labels, targets[both]),
        photo_labels=photo_labels,
        thresholds=thresholds_table({}, count),
    )
    uses = {
        "text": (has_text, nothing),
        "photo": (nothing, has_photo),
        "fusion": (both, both),
        "overall": (has_text, examples.has_photo),
    }
    rows = {modality: np.flatnonzero(text_used | photo_used) for modality, (text_used, photo_used) in uses.items()}

    def predict(modality: str, decider: Decider) -> Predictions:
        text_used, photo_used = uses[modality]
        return decider.decide(text, text_used, photo, photo_used).take(rows[modality])

    thresholds = {}
    for modality, number in _NUMBERS.items():
        found = predict(modality, decider)
        rests_on_it = found.modality_index == number
        correct = found.label_index == targets[rows[modality]]
        thresholds[modality] = threshold_for_precision(
            found.confidences[rests_on_it], correct[rests_on_it], settings.target_precision
        )
    if len(photo_labels) < count:
        # A photo of a kind that the photo classifier never saw would be called one of the kinds it knows.
        del thresholds["photo"]
    by_number = {number: thresholds[name] for name, number in _NUMBERS.items() if name in thresholds}
    decider = replace(decider, thresholds=thresholds_table(by_number, count))
    predictions = {modality: predict(modality, decider) for modality in uses}
    return Tuned(text_temperature, photo_temperature, decider, thresholds, rows, predictions)
