from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from include.models.decision.calibration import log_loss
from include.models.decision.policy import ClassifierOutputs
from include.models.training.fusion_choice import choose_fusion

LABELS = 4
KNOWN = np.arange(LABELS)


def opinion(targets: np.ndarray, right: float, sureness: float, seed: int) -> np.ndarray:
    """Probabilities that favour the target on a share of the rows, and any other label on the rest."""
    chance = np.random.default_rng(seed)
    wrong = (targets + chance.integers(1, LABELS, len(targets))) % LABELS
    favourite = np.where(chance.random(len(targets)) < right, targets, wrong)
    found = np.full((len(targets), LABELS), (1 - sureness) / (LABELS - 1), dtype=np.float32)
    found[np.arange(len(targets)), favourite] = sureness
    return found


def drawn(text_right: float, photo_right: float, rows: int = 600) -> tuple[ClassifierOutputs, np.ndarray, np.ndarray]:
    """ClassifierOutputs, targets and folds."""
    targets = np.random.default_rng(0).integers(0, LABELS, rows)
    everywhere = np.ones(rows, dtype=bool)
    text, photo = opinion(targets, text_right, text_right, 1), opinion(targets, photo_right, photo_right, 2)
    return ClassifierOutputs(text, everywhere, photo, everywhere), targets, np.arange(rows) % 5


def test_two_inputs_that_err_apart_are_fused():
    outputs, targets, folds = drawn(0.85, 0.8)
    choice = choose_fusion(outputs, outputs.has_text, KNOWN, targets, folds, "auto")
    assert choice.used == "late"
    assert "beats" in choice.reason
    fused = choice.fusion.blend(outputs.text, outputs.photo, KNOWN)
    assert (fused.argmax(axis=1) == targets).mean() >= choice.accuracies["text"]


@pytest.mark.parametrize(("text_right", "photo_right", "used"), [(0.9, 0.25, "text"), (0.25, 0.9, "photo")])
def test_when_fusion_does_not_help_the_better_input_is_used_and_said(text_right, photo_right, used):
    outputs, targets, folds = drawn(text_right, photo_right)
    choice = choose_fusion(outputs, outputs.has_text, KNOWN, targets, folds, "auto")
    assert choice.used == used
    assert f"does not beat {used} alone" in choice.reason


def test_photos_that_never_showed_a_label_do_not_answer_alone():
    outputs, targets, folds = drawn(0.25, 0.9)
    photo = outputs.photo.copy()
    photo[:, 3] = 0
    keep = targets != 3
    choice = choose_fusion(replace(outputs, photo=photo), keep, KNOWN[:3], targets, folds, "auto")
    assert choice.used in ("text", "late")
    assert "photo" not in choice.accuracies


def test_a_joint_head_is_kept_when_it_is_better_by_more_than_noise():
    outputs, targets, folds = drawn(0.7, 0.6)
    joint = np.log(opinion(targets, 0.97, 0.97, 3))
    choice = choose_fusion(replace(outputs, joint=joint), outputs.has_text, KNOWN, targets, folds, "auto")
    assert choice.used == "joint"
    worse = replace(outputs, joint=np.log(opinion(targets, 0.5, 0.5, 3)))
    assert choose_fusion(worse, outputs.has_text, KNOWN, targets, folds, "auto").used == "late"


def test_labels_that_are_always_confused_are_put_right_by_stacking():
    outputs, targets, folds = drawn(0.9, 0.9, rows=2_000)
    swapped = outputs.photo[:, [1, 0, 2, 3]]
    choice = choose_fusion(replace(outputs, photo=swapped), outputs.has_text, KNOWN, targets, folds, "auto")
    assert choice.fusion.correction is not None
    fused = choice.fusion.blend(outputs.text, swapped, KNOWN)
    assert np.allclose(fused.sum(axis=1), 1, atol=1e-4)
    pooled = replace(choice.fusion, correction=None).blend(outputs.text, swapped, KNOWN)
    assert log_loss(fused, targets) < log_loss(pooled, targets) - 0.1


@pytest.mark.parametrize("wanted", ["text", "photo", "late"])
def test_what_a_recipe_asks_for_is_used(wanted):
    outputs, targets, folds = drawn(0.9, 0.9)
    assert choose_fusion(outputs, outputs.has_text, KNOWN, targets, folds, wanted).used == wanted


def test_without_a_joint_head_none_is_used_even_if_asked_for():
    outputs, targets, folds = drawn(0.9, 0.9)
    choice = choose_fusion(outputs, outputs.has_text, KNOWN, targets, folds, "joint")
    assert choice.used == "late"
    assert "not possible" in choice.reason


def test_without_rows_the_text_answers():
    outputs, targets, folds = drawn(0.9, 0.9, rows=5)
    choice = choose_fusion(outputs, np.zeros(5, dtype=bool), KNOWN, targets, folds, "auto")
    assert (choice.fusion.text_weight, choice.fusion.photo_weight) == (1.0, 0.0)
