from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from include.models.decision.fusion import Fusion, fit_fusion

LABELS = 5
weights = st.floats(0, 3)
known_labels = st.lists(st.integers(0, LABELS - 1), min_size=1, max_size=LABELS, unique=True).map(
    lambda found: np.array(sorted(found))
)


@st.composite
def outputs(draw, known: np.ndarray | None = None) -> np.ndarray:
    raw = draw(arrays(np.float64, (4, LABELS), elements=st.floats(1e-3, 1)))
    if known is not None:
        raw[:, [label for label in range(LABELS) if label not in known]] = 0
    return (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)


@st.composite
def cases(draw):
    known = draw(known_labels)
    return draw(outputs()), draw(outputs(known=known)), known


@given(cases(), weights, weights)
def test_a_blend_is_a_probability(case, text_weight, photo_weight):
    text, photo, known = case
    fused = Fusion(text_weight, photo_weight).blend(text, photo, known)
    assert fused.dtype == np.float32
    assert np.allclose(fused.sum(axis=1), 1, atol=1e-4)
    assert (fused >= 0).all()


@given(cases(), weights, weights)
def test_a_photo_does_not_change_labels_that_its_classifier_does_not_know(case, text_weight, photo_weight):
    text, photo, known = case
    others = [label for label in range(LABELS) if label not in known]
    fused = Fusion(text_weight, photo_weight).blend(text, photo, known)
    assert np.array_equal(fused[:, others], text[:, others])


@given(cases())
def test_a_photo_without_weight_changes_nothing(case):
    text, photo, known = case
    assert np.allclose(Fusion(1.0, 0.0).blend(text, photo, known), text, atol=1e-5)


@given(cases(), weights, st.floats(0.1, 3))
def test_a_photo_that_prefers_a_label_never_lowers_it(case, text_weight, photo_weight):
    text, photo, known = case
    fused = Fusion(text_weight, photo_weight).blend(text, photo, known)
    unweighted = Fusion(text_weight, 0.0).blend(text, photo, known)
    favourite = known[photo[:, known].argmax(axis=1)]
    rows = np.arange(len(text))
    assert (fused[rows, favourite] >= unweighted[rows, favourite] - 1e-5).all()


def test_the_better_classifier_gets_the_weight():
    chance = np.random.default_rng(0)
    targets = chance.integers(0, LABELS, 600)
    right = np.full((600, LABELS), 0.05, dtype=np.float32)
    right[np.arange(600), targets] = 0.8
    noise = chance.dirichlet(np.ones(LABELS), 600).astype(np.float32)
    everything = np.arange(LABELS)
    by_text, by_photo = fit_fusion(right, noise, everything, targets), fit_fusion(noise, right, everything, targets)
    assert by_text.text_weight > 5 * by_text.photo_weight
    assert by_photo.photo_weight > 5 * by_photo.text_weight


def test_no_rows_leave_the_text_alone():
    alone = fit_fusion(np.empty((0, 3)), np.empty((0, 3)), np.array([0]), np.empty(0, dtype=int))
    assert (alone.text_weight, alone.photo_weight, alone.correction) == (1.0, 0.0, None)


def test_no_blended_probability_leaves_the_interval_from_0_to_1_however_sure_both_are() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(20_000, 20)) * generator.uniform(5, 60, size=(20_000, 1))
    text = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float32)
    text /= text.sum(axis=1, keepdims=True)
    blended = Fusion(1.0, 0.3).blend(text, text, np.arange(20))
    assert blended.min() >= 0.0
    assert blended.max() <= 1.0
