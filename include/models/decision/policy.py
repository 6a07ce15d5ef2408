"""The decision policy: from the outputs of the classifiers to one calibrated label per product and a decision.

Training and prediction use the same policy, so that out-of-fold figures describe what runs in production.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from include.models.decision.calibration import NEVER, ConfidenceMap
from include.models.decision.fusion import Fusion, within_known
from include.models.decision.out_of_distribution import SIGNALS
from include.models.decision.predictions import MODALITIES, Grounds, Predictions
from include.models.decision.written_rules import apply_rule_boost, contradicts

TEXT, PHOTO, FUSION, NONE = (MODALITIES.index(name) for name in MODALITIES)

FusionUsed = Literal["text", "photo", "late", "joint"]


@dataclass(frozen=True, eq=False)
class ClassifierOutputs:
    """Outputs of the classifiers for n products; rows where `has_text` or `has_photo` is False are ignored."""

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
    """float64 (n, len(SIGNALS)): signals of the out-of-distribution detectors, +inf where an input is absent; None
    without detection."""
    rule_label_index: np.ndarray | None = None
    """int64 (n,): labels of the written rules, encoded by `encode_rule_labels`; None if no rules were evaluated."""


@dataclass(frozen=True, eq=False)
class DecisionPolicy:
    """How outputs are fused, and the confidence and familiarity that an accepted label needs, by modality."""

    label_names: tuple[str, ...]
    prior: np.ndarray
    """float32 (k,): frequency of each label in training; the answer for a product without text and photo."""
    fusion: Fusion
    photo_labels: np.ndarray
    """int64: positions of the labels that the photo classifier knows; empty without one."""
    thresholds: np.ndarray
    """float32 (4, k): lowest accepted confidence, by `MODALITIES` and label; `NEVER` where nothing is accepted."""
    fusion_used: FusionUsed = "late"
    """The classifier or fusion that labels products with text and photo."""
    limits: np.ndarray = field(default_factory=lambda: np.full((len(MODALITIES), len(SIGNALS)), -np.inf))
    """float64 (4, signals): lowest familiar value, by `MODALITIES` and signal; -inf rejects nothing."""
    confidence_maps: Mapping[int, ConfidenceMap] = field(default_factory=dict)
    """By position in `MODALITIES`; confidences of a modality without one are left as they are."""
    rule_weight: float = 0.0
    """Boost, in nats, of the log odds of a rule label that contradicts the classifiers; 0 ignores rules altogether."""
    agreement_weight: float = 0.0
    """Boost of a rule label that agrees with the classifiers."""

    def decide(self, outputs: ClassifierOutputs) -> Predictions:
        """A prediction for each product.

        If the photo classifier does not know the label that fusion chooses, the prediction counts as one from the
        text: thresholds and familiarity of the text apply. Where a written rule contradicts the classifiers, the
        product goes to review, whatever its label becomes.
        """
        text, photo = outputs.text, outputs.photo
        has_photo = outputs.has_photo & (len(self.photo_labels) > 0)
        both = outputs.has_text & has_photo
        modality_of_both = {"text": TEXT, "photo": PHOTO}.get(self.fusion_used, FUSION)
        modality = np.select([both, outputs.has_text, has_photo], [modality_of_both, TEXT, PHOTO], NONE).astype(
            np.int64
        )
        probabilities = np.tile(self.prior.astype(np.float32), (len(modality), 1))
        probabilities[modality == TEXT] = text[modality == TEXT]
        probabilities[modality == PHOTO] = photo[modality == PHOTO]
        fused = modality == FUSION
        if fused.any():
            probabilities[fused] = self._fuse(outputs, fused)
        contradicted = np.zeros(len(modality), dtype=bool)
        if outputs.rule_label_index is not None and self.rule_weight > 0:
            contradicted = contradicts(outputs.rule_label_index, probabilities)
            weights = np.where(contradicted, self.rule_weight, self.agreement_weight)
            probabilities = apply_rule_boost(probabilities, outputs.rule_label_index, weights)
        if fused.any():
            modality[fused & ~np.isin(probabilities.argmax(axis=1), self.photo_labels)] = TEXT
        for number, calibration in self.confidence_maps.items():
            probabilities[modality == number] = calibration.apply(probabilities[modality == number])
        labels = probabilities.argmax(axis=1)
        unfamiliar = np.zeros(len(modality), dtype=bool)
        if outputs.signals is not None:
            unfamiliar = np.asarray((outputs.signals < self.limits[modality]).any(axis=1))
        needed = self.thresholds[modality, labels]
        confident = probabilities.max(axis=1, initial=0.0) >= needed
        return Predictions(
            self.label_names,
            probabilities,
            modality,
            confident & ~unfamiliar & ~contradicted,
            unfamiliar,
            contradicted,
            Grounds(text, outputs.has_text, photo, has_photo, needed),
        )

    def _fuse(self, outputs: ClassifierOutputs, rows: np.ndarray) -> np.ndarray:
        text = outputs.text[rows]
        if self.fusion_used == "joint" and outputs.joint is not None:
            return within_known(text, outputs.joint[rows], self.photo_labels)
        return self.fusion.blend(text, outputs.photo[rows], self.photo_labels)


def thresholds_table(by_modality: Mapping[int, float | np.ndarray], label_count: int) -> np.ndarray:
    """The `thresholds` of a policy, float32 (4, label_count), from one per modality or one per modality and label.

    Modalities that are not given accept nothing.
    """
    table = np.full((len(MODALITIES), label_count), NEVER, dtype=np.float32)
    for modality, threshold in by_modality.items():
        table[modality] = threshold
    return table
