from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.models.decision.calibration import NEVER, ConfidenceMap
from include.models.decision.fusion import Fusion
from include.models.decision.out_of_distribution import SIGNALS
from include.models.decision.policy import FUSION, PHOTO, TEXT, ClassifierOutputs, DecisionPolicy, thresholds_table
from include.models.decision.predictions import Predictions
from include.models.decision.written_rules import NO_RULE, UNKNOWN_LABEL
from include.schema import LABELS

NAMES = ("champagne", "vinegar", "watches")


def policy(photo_labels: list[int], **thresholds: float) -> DecisionPolicy:
    numbers = {"text": TEXT, "photo": PHOTO, "fusion": FUSION}
    return DecisionPolicy(
        label_names=NAMES,
        prior=np.array([0.2, 0.3, 0.5], dtype=np.float32),
        fusion=Fusion(0.8, 0.4),
        photo_labels=np.array(photo_labels, dtype=np.int64),
        thresholds=thresholds_table({numbers[name]: value for name, value in thresholds.items()}, len(NAMES)),
    )


def rows(*probabilities: list[float]) -> np.ndarray:
    return np.array(probabilities, dtype=np.float32)


def flags(*values: bool) -> np.ndarray:
    return np.array(values, dtype=bool)


def test_a_product_with_nothing_gets_the_commonest_label_for_review():
    found = policy([0, 1, 2], text=0.1, photo=0.1, fusion=0.1).decide(
        ClassifierOutputs(rows([0, 0, 0]), flags(False), rows([0, 0, 0]), flags(False))
    )
    assert (found.labels, found.decisions, found.modalities) == (["watches"], ["review"], ["none"])
    assert found.confidences == pytest.approx([0.5])


def test_each_input_is_judged_by_its_own_threshold():
    certain = rows([0.9, 0.1, 0.0], [0.9, 0.1, 0.0], [0.9, 0.1, 0.0])
    found = policy([0, 1, 2], text=0.95, photo=0.85, fusion=0.5).decide(
        ClassifierOutputs(certain, flags(True, False, True), certain, flags(False, True, True))
    )
    assert found.modalities == ["text", "photo", "fusion"]
    assert found.decisions == ["review", "accepted", "accepted"]


def test_a_label_that_a_written_rule_contradicts_is_for_review_however_confident():
    sure = rows([0.99, 0.005, 0.005], [0.99, 0.005, 0.005], [0.99, 0.005, 0.005], [0.99, 0.005, 0.005])
    outputs = ClassifierOutputs(sure, flags(*[True] * 4), np.zeros_like(sure), flags(*[False] * 4))
    rule_labels = np.array([NO_RULE, 0, 1, UNKNOWN_LABEL])
    found = replace(policy([], text=0.5), rule_weight=1.0).decide(replace(outputs, rule_label_index=rule_labels))
    assert found.decisions == ["accepted", "accepted", "review", "review"]
    assert found.is_contradicted.tolist() == [False, False, True, True]
    assert found.confidences[1] == found.confidences[0] > found.confidences[2]


def test_a_rule_changes_a_label_that_is_less_confident_than_its_boost():
    outputs = ClassifierOutputs(rows([0.9, 0.05, 0.05]), flags(True), rows([0, 0, 0]), flags(False))
    with_rule = replace(outputs, rule_label_index=np.array([1]))
    changed = replace(policy([], text=0.5), rule_weight=5.0).decide(with_rule)
    assert (changed.labels, changed.decisions) == (["vinegar"], ["review"])
    assert replace(policy([], text=0.5), rule_weight=0.0).decide(with_rule).labels == ["champagne"]


def test_an_answer_that_the_photo_classifier_does_not_know_rests_on_the_text():
    found = policy([1, 2], text=0.95, fusion=0.1).decide(
        ClassifierOutputs(rows([0.9, 0.05, 0.05]), flags(True), rows([0, 1, 0]), flags(True))
    )
    assert (found.labels, found.modalities, found.decisions) == (["champagne"], ["text"], ["review"])


def test_without_a_photo_classifier_a_photo_alone_is_nothing():
    found = policy([], text=0.5).decide(
        ClassifierOutputs(
            rows([0.9, 0.1, 0], [0, 0, 0]), flags(True, False), rows([0, 0, 0], [0, 0, 0]), flags(True, True)
        )
    )
    assert found.modalities == ["text", "none"]


def test_modalities_without_a_threshold_accept_nothing():
    assert (thresholds_table({}, 2) == NEVER).all()


def test_an_empty_batch_has_empty_answers():
    found = policy([0]).decide(ClassifierOutputs(*(np.empty((0, 3), np.float32), np.empty(0, bool)) * 2))
    assert (len(found), found.labels, found.decisions, found.modalities) == (0, [], [], [])
    assert len(found.top_labels(3)) == 0


probabilities = st.lists(
    st.lists(st.floats(1e-3, 1), min_size=3, max_size=3).map(lambda row: [value / sum(row) for value in row]),
    min_size=1,
    max_size=6,
)


@given(probabilities, st.data())
def test_every_product_gets_a_probability_whatever_is_missing(text, data):
    count = len(text)
    masks = [flags(*data.draw(st.lists(st.booleans(), min_size=count, max_size=count))) for _ in range(2)]
    outputs = ClassifierOutputs(rows(*text), masks[0], rows(*text), masks[1])
    found = policy([0, 1], text=0.5, photo=0.5, fusion=0.5).decide(outputs)
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-4)
    none = ~masks[0] & ~masks[1]
    assert [modality == "none" for modality in found.modalities] == none.tolist()
    assert not found.is_accepted[none].any()


def test_an_unfamiliar_product_is_for_review_however_confident_its_label_is():
    limits = np.full((4, len(SIGNALS)), -np.inf)
    limits[TEXT, 0], limits[FUSION, 2] = -5.0, -7.0
    limited = replace(policy([0, 1, 2], text=0.5, fusion=0.5), limits=limits)
    signals = np.array([[-4, 0, -9, 0], [-6, 0, np.inf, 0], [-6, 0, -6, 0], [-6, 0, -9, 0]], dtype=np.float64)
    sure = rows(*[[0.98, 0.01, 0.01]] * 4)
    found = limited.decide(
        ClassifierOutputs(sure, flags(True, True, True, True), sure, flags(False, False, True, True), signals=signals)
    )
    assert found.is_unfamiliar.tolist() == [False, True, False, True]
    assert found.decisions == ["accepted", "review", "accepted", "review"]


def test_an_unseen_kind_of_photo_is_not_held_against_a_label_that_no_photo_showed():
    limits = np.full((4, len(SIGNALS)), -np.inf)
    limits[FUSION, 2] = -7.0
    limited = replace(policy([1, 2], text=0.5, fusion=0.5), limits=limits)
    signals = np.array([[0.0, 0.0, -1e9, 0.0]])
    outputs = ClassifierOutputs(rows([0.9, 0.05, 0.05]), flags(True), rows([0, 1, 0]), flags(True), signals=signals)
    assert limited.decide(outputs).decisions == ["accepted"]


@pytest.mark.parametrize(("used", "label"), [("text", "champagne"), ("photo", "watches")])
def test_the_input_that_is_better_alone_answers_for_both(used, label):
    single = replace(policy([0, 1, 2], text=0.5, photo=0.5), fusion_used=used)
    found = single.decide(ClassifierOutputs(rows([0.8, 0.1, 0.1]), flags(True), rows([0.1, 0.1, 0.8]), flags(True)))
    assert (found.labels, found.modalities, found.decisions) == ([label], [used], ["accepted"])


def test_the_joint_head_answers_where_it_is_used():
    joint = replace(policy([0, 2], text=0.5, fusion=0.5), fusion_used="joint")
    text, photo = rows([0.6, 0.2, 0.2]), rows([1, 0, 0])
    found = joint.decide(ClassifierOutputs(text, flags(True), photo, flags(True), joint=np.array([[0.0, 9.0]])))
    assert (found.labels, found.modalities) == (["watches"], ["fusion"])
    assert found.probabilities[0, 1] == pytest.approx(0.2)


def test_confidence_is_calibrated_by_what_it_rests_on():
    calibration = ConfidenceMap(np.array([0.0, 1.0]), np.array([0.3, 0.9]))
    mapped = replace(policy([0, 1, 2], text=0.5), confidence_maps={TEXT: calibration})
    found = mapped.decide(
        ClassifierOutputs(
            rows([0.8, 0.1, 0.1], [0, 0, 0]), flags(True, False), rows([0, 0, 0], [0.8, 0.1, 0.1]), flags(False, True)
        )
    )
    assert found.confidences == pytest.approx([0.78, 0.8], abs=1e-5)


def test_top_labels_fit_the_schema_best_first():
    found = Predictions(NAMES, rows([0.2, 0.5, 0.3], [0.1, 0.1, 0.8]), np.array([0, 1]), flags(True, False))
    column = pa.array(found.top_labels(3), LABELS.field("top_labels").type)
    assert [[pair["label"] for pair in pairs] for pairs in column.to_pylist()] == [
        ["vinegar", "watches", "champagne"],
        ["watches", "champagne", "vinegar"],
    ]
    assert len(found.top_labels(9)[0]) == 3


def test_taking_rows_keeps_them_together():
    found = Predictions(NAMES, rows([0.2, 0.5, 0.3], [0.1, 0.1, 0.8]), np.array([0, 1]), flags(True, False))
    last = found.take(np.array([1]))
    assert (last.labels, last.modalities, last.decisions) == (["watches"], ["photo"], ["review"])
