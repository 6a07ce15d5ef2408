"""From the opinions of the classifiers to one calibrated answer and a decision.

Training and prediction both decide here, so that what was measured out of fold is what runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from include.models.decision.calibration import NEVER, ConfidenceMap
from include.models.decision.familiarity import SIGNALS
from include.models.decision.fusion import Fusion, within_known
from include.models.decision.predictions import MODALITIES, Predictions
from include.models.decision.written_rules import contradicts, heed

TEXT, PHOTO, FUSION, NONE = (MODALITIES.index(name) for name in MODALITIES)

FusionUsed = Literal["text", "photo", "late", "joint"]


@dataclass(frozen=True, eq=False)
class Opinions:
    """What the classifiers say of n products; rows denied by `has_text` or `has_photo` are not read."""

    text: np.ndarray
    """float32 (n, k) probabilities."""
    has_text: np.ndarray
    """bool (n,)"""
    photo: np.ndarray
    """float32 (n, k) probabilities; 0 for labels that the photo classifier does not know."""
    has_photo: np.ndarray
    """bool (n,)"""
    joint: np.ndarray | None = None
    """float32 (n, labels that the photo classifier knows) logits of the joint head; None without one."""
    signals: np.ndarray | None = None
    """float64 (n, len(SIGNALS)): how familiar a product looks, +inf where not asked; None without a guard."""
    said_by_rule: np.ndarray | None = None
    """int64 (n,): what the written rules say, as in `said_by_rules`; None: nobody asked them."""


@dataclass(frozen=True, eq=False)
class Decider:
    """How opinions are blended, how sure one must be for what they rest on, and how familiar a product must look."""

    label_names: tuple[str, ...]
    prior: np.ndarray
    """float32 (k,): frequency of each label in training; the answer for a product without text and photo."""
    fusion: Fusion
    photo_labels: np.ndarray
    """int64: positions of the labels that the photo classifier knows; empty without one."""
    thresholds: np.ndarray
    """float32 (4, k): lowest accepted confidence, by `MODALITIES` and label; `NEVER` where nothing is accepted."""
    fusion_used: FusionUsed = "late"
    """What answers for a product with text and photo."""
    limits: np.ndarray = field(default_factory=lambda: np.full((len(MODALITIES), len(SIGNALS)), -np.inf))
    """float64 (4, signals): lowest familiar value, by `MODALITIES` and signal; -inf turns nothing away."""
    confidence_maps: Mapping[int, ConfidenceMap] = field(default_factory=dict)
    """By position in `MODALITIES`; a modality without one keeps its confidence."""
    rule_weight: float = 0.0
    """By how much a written rule that contradicts the classifiers raises the log odds of its label, in nats; 0 does
    not hear rules."""
    agreement_weight: float = 0.0
    """The same for a rule that says what the classifiers say."""

    def decide(self, opinions: Opinions) -> Predictions:
        """One answer for each product.

        A blend whose answer the photo classifier does not know rests on the text, and is judged as such: a
        photo of a kind that no photo showed is not held against it. Where a written rule contradicts the
        classifiers, the product is for review, whichever of them wins.
        """
        text, photo = opinions.text, opinions.photo
        has_photo = opinions.has_photo & (len(self.photo_labels) > 0)
        both = opinions.has_text & has_photo
        single = {"text": TEXT, "photo": PHOTO}.get(self.fusion_used, FUSION)
        modality = np.select([both, opinions.has_text, has_photo], [single, TEXT, PHOTO], NONE).astype(np.int64)
        probabilities = np.tile(self.prior.astype(np.float32), (len(modality), 1))
        probabilities[modality == TEXT] = text[modality == TEXT]
        probabilities[modality == PHOTO] = photo[modality == PHOTO]
        fused = modality == FUSION
        if fused.any():
            probabilities[fused] = self._fuse(opinions, fused)
        contradicted = np.zeros(len(modality), dtype=bool)
        if opinions.said_by_rule is not None and self.rule_weight > 0:
            contradicted = contradicts(opinions.said_by_rule, probabilities)
            weights = np.where(contradicted, self.rule_weight, self.agreement_weight)
            probabilities = heed(probabilities, opinions.said_by_rule, weights)
        if fused.any():
            modality[fused & ~np.isin(probabilities.argmax(axis=1), self.photo_labels)] = TEXT
        for number, calibration in self.confidence_maps.items():
            probabilities[modality == number] = calibration.apply(probabilities[modality == number])
        labels = probabilities.argmax(axis=1)
        unfamiliar = np.zeros(len(modality), dtype=bool)
        if opinions.signals is not None:
            unfamiliar = np.asarray((opinions.signals < self.limits[modality]).any(axis=1))
        sure = probabilities.max(axis=1, initial=0.0) >= self.thresholds[modality, labels]
        return Predictions(
            self.label_names, probabilities, modality, sure & ~unfamiliar & ~contradicted, unfamiliar, contradicted
        )

    def _fuse(self, opinions: Opinions, rows: np.ndarray) -> np.ndarray:
        text = opinions.text[rows]
        if self.fusion_used == "joint" and opinions.joint is not None:
            return within_known(text, opinions.joint[rows], self.photo_labels)
        return self.fusion.blend(text, opinions.photo[rows], self.photo_labels)


def thresholds_table(by_modality: Mapping[int, float | np.ndarray], label_count: int) -> np.ndarray:
    """The thresholds of a `Decider`, one for all labels or one for each; modalities not given accept nothing."""
    table = np.full((len(MODALITIES), label_count), NEVER, dtype=np.float32)
    for modality, threshold in by_modality.items():
        table[modality] = threshold
    return table
