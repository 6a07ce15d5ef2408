"""Drift figures: 0 for the same products, 1 for disjoint labels, and no judgement on a handful."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.models.monitoring.drift import Drift, Figure, measure_drift
from include.models.monitoring.drift_statistics import CONFIDENCE_BINS, DriftStatistics, NormalisedMean
from include.models.monitoring.reference_profile import ReferenceProfile
from include.pipeline.daily.drift import drift_bounds
from include.settings import Settings
from tests.models.training.drawn_predictions import LABELS, draw_statistics

DEFAULTS = Settings()
NAMES = ["label_mix", "confidence", "text_embedding", "photo_embedding", "missing_photos", "reviewed"]


def measure(
    batch: DriftStatistics, training: DriftStatistics, given: Settings = DEFAULTS, source: str = "feed"
) -> Drift:
    return measure_drift(source, batch, ReferenceProfile(LABELS, {"feed": training}), drift_bounds(given))


def by_name(drift: Drift) -> dict[str, Figure]:
    return {figure.name: figure for figure in drift.figures}


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 300), seed=st.integers(0, 1000))
def test_the_same_products_have_not_drifted(count: int, seed: int) -> None:
    statistics = draw_statistics(count, seed)
    drift = measure(statistics, statistics)
    assert [figure.name for figure in drift.figures if not figure.name.endswith("embedding")] == [
        name for name in NAMES if not name.endswith("embedding")
    ]
    assert all(figure.value == pytest.approx(0, abs=1e-9) for figure in drift.figures)
    assert drift.warnings == []


@settings(max_examples=30, deadline=None)
@given(counts=st.tuples(st.integers(1, 200), st.integers(1, 200)), seed=st.integers(0, 100))
def test_figures_are_finite_and_distances_of_shares_within_0_and_1(counts: tuple[int, int], seed: int) -> None:
    drift = measure(draw_statistics(counts[0], seed), draw_statistics(counts[1], seed + 1))
    for figure in drift.figures:
        assert np.isfinite(figure.value)
        if not figure.name.endswith("embedding"):
            assert abs(figure.value) <= 1 + 1e-9
    json.dumps(drift.to_json(), allow_nan=False)


def test_disjoint_labels_are_1_apart() -> None:
    figures = by_name(measure(draw_statistics(80, labels=(0, 1)), draw_statistics(80, labels=(2, 3))))
    assert figures["label_mix"].value == pytest.approx(1)
    assert figures["label_mix"].verdict == "beyond"


def test_more_products_of_the_same_kind_drift_less() -> None:
    training = draw_statistics(5_000)
    values = [
        by_name(measure(draw_statistics(count, 7), training))["label_mix"].value for count in (10, 100, 1_000, 10_000)
    ]
    assert values == sorted(values, reverse=True)


def test_embeddings_that_point_elsewhere_are_far_in_training_s_spread() -> None:
    elsewhere, opposite = (
        by_name(measure(draw_statistics(5_000, shift=shift), draw_statistics(5_000, 1, shift=3.0)))
        for shift in (0.0, -3.0)
    )
    for name in ("text_embedding", "photo_embedding"):
        assert elsewhere[name].verdict == opposite[name].verdict == "beyond"
        assert opposite[name].value == pytest.approx(2 * elsewhere[name].value, rel=0.05)


def confident(mean: float, count: int = 100) -> DriftStatistics:
    confidences = np.zeros(CONFIDENCE_BINS, dtype=np.int64)
    confidences[int(mean * CONFIDENCE_BINS)] = count
    return replace(draw_statistics(count), confidences=confidences)


def test_confidence_warns_where_it_fell_and_not_where_it_rose() -> None:
    fallen, risen = (
        by_name(measure(confident(mean), confident(other)))["confidence"] for mean, other in ((0.5, 0.9), (0.9, 0.5))
    )
    assert (fallen.value, fallen.verdict) == (pytest.approx(0.4), "beyond")
    assert (risen.value, risen.verdict) == (pytest.approx(-0.4), "within")
    assert (fallen.batch, fallen.training) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.9, abs=0.01))


@pytest.mark.parametrize(("name", "attribute"), [("missing_photos", "without_photo"), ("reviewed", "reviewed")])
def test_a_share_warns_where_it_rose_and_not_where_it_fell(name: str, attribute: str) -> None:
    few, many = (replace(draw_statistics(100), **{attribute: count}) for count in (5, 95))
    risen, fallen = by_name(measure(many, few))[name], by_name(measure(few, many))[name]
    assert (risen.value, risen.verdict) == (pytest.approx(0.9), "beyond")
    assert (fallen.value, fallen.verdict) == (pytest.approx(-0.9), "within")


def test_a_handful_of_products_has_figures_but_is_not_judged() -> None:
    drift = measure(draw_statistics(DEFAULTS.drift_min_products - 1, labels=(0,)), draw_statistics(500, labels=(3,)))
    assert {figure.verdict for figure in drift.figures} == {"too few"}
    assert drift.warnings == []
    few_trained = measure(
        draw_statistics(500, labels=(0,)), draw_statistics(DEFAULTS.drift_min_products - 1, labels=(3,))
    )
    assert few_trained.warnings == []


def test_photos_are_judged_only_with_enough_of_them_and_left_out_without_any() -> None:
    photos = NormalisedMean.of(np.full((3, 5), 9.0, dtype=np.float32))
    some = replace(draw_statistics(200), photo=photos)
    assert by_name(measure(some, draw_statistics(200, 1)))["photo_embedding"].verdict == "too few"
    none = replace(draw_statistics(200), photo=NormalisedMean.of(np.empty((200, 0), dtype=np.float32)))
    assert "photo_embedding" not in by_name(measure(none, draw_statistics(200, 1)))


def test_bounds_come_from_settings() -> None:
    batch, training = draw_statistics(200, labels=(0, 1)), draw_statistics(200, 1)
    lax = Settings(drift_label_mix=1, drift_confidence=1, drift_embedding=9, drift_missing_photos=1, drift_reviewed=1)
    assert measure(batch, training, lax).warnings == []
    strict = Settings(drift_label_mix=0.01)
    assert "label_mix" in {
        figure.name for figure in measure(batch, training, strict).figures if figure.verdict == "beyond"
    }


def test_a_warning_says_what_where_by_how_much_and_compared_with_what() -> None:
    drift = measure(draw_statistics(100, labels=(0,)), draw_statistics(400, labels=(2, 3)))
    (warning,) = (sentence for sentence in drift.warnings if "mix of labels" in sentence)
    assert warning.startswith("feed: the mix of labels is another (distance 1.00, bound 0.55): champagne is 100 % here")
    assert warning.endswith("0 % in training. Compared with the 400 training products of feed.")
    elsewhere = measure(draw_statistics(100, labels=(0,)), draw_statistics(400, labels=(2, 3)), source="new")
    assert "all 400 training products, hardly any of this source" in elsewhere.warnings[0]


def test_shares_are_of_the_labels_that_occur_most_frequent_first() -> None:
    drift = measure(draw_statistics(90, labels=(0, 0, 1)), draw_statistics(90, labels=(1, 2)))
    assert [share.label for share in drift.label_shares] == ["champagne", "vinegar", "watches"]
    assert sum(share.batch for share in drift.label_shares) == pytest.approx(1, abs=0.001)
