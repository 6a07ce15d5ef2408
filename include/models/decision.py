"""From the opinions of the classifiers to one calibrated answer and a decision.

Training and prediction both decide here, so that what was measured out of fold is what runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.models.calibration import NEVER
from include.models.fusion import Fusion
from include.models.predictions import MODALITIES, Predictions

TEXT, PHOTO, FUSION, NONE = (MODALITIES.index(name) for name in MODALITIES)


@dataclass(frozen=True, eq=False)
class Decider:
    """How opinions are blended, and how sure one must be for what they rest on."""

    label_names: tuple[str, ...]
    prior: np.ndarray
    """float32 (k,): frequency of each label in training; the answer for a product without text and photo."""
    fusion: Fusion
    photo_labels: np.ndarray
    """int64: positions of the labels that the photo classifier knows; empty without one."""
    thresholds: np.ndarray
    """float32 (4, k): lowest accepted confidence, by `MODALITIES` and label; `NEVER` where nothing is accepted."""

    def decide(self, text: np.ndarray, has_text: np.ndarray, photo: np.ndarray, has_photo: np.ndarray) -> Predictions:
        """Blend probabilities, float32 (n, k) each; rows denied by `has_text` or `has_photo` (bool (n,)) are not read.

        A blend whose answer the photo classifier does not know rests on the text, and is judged as such.
        """
        has_photo = has_photo & (len(self.photo_labels) > 0)
        both = has_text & has_photo
        modality = np.select([both, has_text, has_photo], [FUSION, TEXT, PHOTO], NONE).astype(np.int64)
        probabilities = np.tile(self.prior.astype(np.float32), (len(modality), 1))
        probabilities[modality == TEXT] = text[modality == TEXT]
        probabilities[modality == PHOTO] = photo[modality == PHOTO]
        if both.any():
            probabilities[both] = self.fusion.blend(text[both], photo[both], self.photo_labels)
        labels = probabilities.argmax(axis=1)
        modality[both & ~np.isin(labels, self.photo_labels)] = TEXT
        accepted = probabilities.max(axis=1, initial=0.0) >= self.thresholds[modality, labels]
        return Predictions(self.label_names, probabilities, modality, accepted)


def thresholds_table(by_modality: dict[int, float], label_count: int) -> np.ndarray:
    """The thresholds of a `Decider`, the same for every label; modalities not given accept nothing."""
    table = np.full((len(MODALITIES), label_count), NEVER, dtype=np.float32)
    for modality, threshold in by_modality.items():
        table[modality] = threshold
    return table
