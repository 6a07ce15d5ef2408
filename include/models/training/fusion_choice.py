"""Choosing the classifier for products with text and photo: the text's, the photo's, a late fusion or the joint head.

All are compared on the same out-of-fold rows. A fusion is used only when it is better than the better single
input on them; otherwise the model uses that input, and `reason` records it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from include.models.classifier.recipe import FusionMethod
from include.models.decision.fusion import Fusion, fit_fusion, fit_stack, within_known
from include.models.decision.policy import ClassifierOutputs, FusionUsed

logger = logging.getLogger(__name__)

NOISE = 1.645
"""Standard errors beyond which a mean difference is no noise (one-sided, 95 %)."""
HELP = 1.0
"""Nats by which a fusion must make the out-of-fold labels likelier to be used: what the weight of the second input,
fitted on the same rows, gains by chance (Akaike, "A New Look at the Statistical Model Identification", 1974). The first
input's weight is no gain: its temperature was fitted on these rows, too."""
_ROWS_TO_STACK = 300
_LEAST = 1e-9


@dataclass(frozen=True, eq=False)
class FusionChoice:
    """What was chosen, and why."""

    used: FusionUsed
    fusion: Fusion
    """The late fusion, whether used or not."""
    reason: str
    """One sentence for a person."""
    accuracies: Mapping[str, float]
    """Out-of-fold accuracy of each candidate on the products with text and photo."""


def choose_fusion(
    outputs: ClassifierOutputs,
    both: np.ndarray,
    known: np.ndarray,
    targets: np.ndarray,
    folds: np.ndarray,
    wanted: FusionMethod,
) -> FusionChoice:
    """Compare on the rows `both` (bool (n,)); `wanted` other than `auto` is used without asking.

    Without rows, or without a photo classifier, the late fusion is the text alone.
    """
    if not both.any():
        return FusionChoice("late", Fusion(), "no product has text and photo", {})
    text, photo, rows = outputs.text[both], outputs.photo[both], targets[both]
    fusion, late = _late(text, photo, known, rows, folds[both])
    candidates: dict[FusionUsed, np.ndarray] = {"text": text, "late": late}
    if len(known) == text.shape[1]:  # else the photo alone could not give every label
        candidates["photo"] = photo
    if outputs.joint is not None:
        candidates["joint"] = within_known(text, outputs.joint[both], known)
    accuracies: dict[str, float] = {
        name: float((found.argmax(axis=1) == rows).mean()) for name, found in candidates.items()
    }
    if wanted != "auto":
        if wanted not in candidates:
            return FusionChoice("late", fusion, f"{wanted} was requested but is not possible here", accuracies)
        return FusionChoice(wanted, fusion, f"{wanted} was requested", accuracies)
    used, reason = _best(candidates, rows)
    logger.info("fusion_used=%s reason=%s accuracies=%s", used, reason, accuracies)
    return FusionChoice(used, fusion, reason, accuracies)


def _late(
    text: np.ndarray, photo: np.ndarray, known: np.ndarray, targets: np.ndarray, folds: np.ndarray
) -> tuple[Fusion, np.ndarray]:
    """The pool, or the stack when it is better by more than noise on folds that it was not fitted on."""
    pool = fit_fusion(text, photo, known, targets)
    pooled = pool.blend(text, photo, known)
    if len(targets) < _ROWS_TO_STACK or len(np.unique(folds)) < 2:
        return pool, pooled
    stacked = np.zeros_like(pooled)
    for fold in np.unique(folds):
        learn, test = folds != fold, folds == fold
        stack = fit_stack(pool, text[learn], photo[learn], known, targets[learn])
        stacked[test] = stack.blend(text[test], photo[test], known)
    if _gain(stacked, pooled, targets) > NOISE:
        return fit_stack(pool, text, photo, known, targets), stacked
    return pool, pooled


def _best(candidates: Mapping[FusionUsed, np.ndarray], targets: np.ndarray) -> tuple[FusionUsed, str]:
    losses = {name: float(_losses(found, targets).mean()) for name, found in candidates.items()}
    single: FusionUsed = "photo" if losses.get("photo", np.inf) < losses["text"] else "text"
    fused: FusionUsed = "late"
    if "joint" in candidates and _gain(candidates["joint"], candidates["late"], targets) > NOISE:
        fused = "joint"
    gain = (losses[single] - losses[fused]) * len(targets)
    figures = f"log loss {losses[fused]:.3f} against {losses[single]:.3f}, {gain:+.1f} nats in all"
    lost = _fewer_right(candidates[fused], candidates[single], targets)
    if gain > HELP and lost <= NOISE:
        return fused, f"{fused} fusion beats {single} alone: {figures}"
    return single, f"{fused} fusion does not beat {single} alone: {figures}"


def _losses(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(len(targets)), targets], _LEAST)))


def _gain(candidate: np.ndarray, other: np.ndarray, targets: np.ndarray) -> float:
    """By how many standard errors a candidate's loss is lower, on the same rows."""
    return _standard_errors(_losses(other, targets) - _losses(candidate, targets))


def _fewer_right(candidate: np.ndarray, other: np.ndarray, targets: np.ndarray) -> float:
    """By how many standard errors a candidate is right less often (McNemar's statistic)."""
    right, wanted = candidate.argmax(axis=1) == targets, other.argmax(axis=1) == targets
    only_other, only_candidate = int((wanted & ~right).sum()), int((right & ~wanted).sum())
    return (only_other - only_candidate) / max(1.0, float(np.sqrt(only_other + only_candidate)))


def _standard_errors(differences: np.ndarray) -> float:
    error = float(differences.std()) / np.sqrt(len(differences))
    return float(differences.mean() / error) if error > 0 else 0.0
