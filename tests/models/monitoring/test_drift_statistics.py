"""A statistics is the same whatever the order and the size of the chunks that it was counted in."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.models.monitoring.drift_statistics import CONFIDENCE_BINS, DriftStatistics, NormalisedMean
from tests.models.training.drawn_predictions import DIMENSIONS, draw_predictions, draw_statistics, draw_vectors


def assert_same(one: DriftStatistics, other: DriftStatistics) -> None:
    for name, values in one.to_arrays().items():
        np.testing.assert_allclose(other.to_arrays()[name], values, rtol=1e-5, atol=1e-4, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 120), seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 120), max_size=4))
def test_chunks_of_any_size_in_any_order_add_up_to_the_whole(count: int, seed: int, cuts: list[int]) -> None:
    predictions, texts, photos = draw_predictions(count, seed), draw_vectors(count, seed), draw_vectors(count, seed + 1)
    missing = np.isnan(photos[:, 0])
    whole = DriftStatistics.of(predictions, missing, texts, photos)
    order = np.random.default_rng(seed).permutation(count)
    parts = np.split(order, sorted(min(cut, count) for cut in cuts))
    chunks = [
        DriftStatistics.of(predictions.take(rows), missing[rows], texts[rows], photos[rows])
        for rows in parts
        if len(rows)
    ]
    found = chunks[0]
    for statistics in chunks[1:]:
        found += statistics
    assert_same(found, whole)


def test_the_counts_are_those_of_the_products() -> None:
    predictions, texts = draw_predictions(90), draw_vectors(90)
    statistics = DriftStatistics.of(predictions, np.arange(90) < 9, texts, np.empty((90, 0), dtype=np.float32))
    present = texts[~np.isnan(texts[:, 0])].astype(np.float64)
    directions = present / np.linalg.norm(present, axis=1, keepdims=True)
    assert statistics.products == 90
    assert statistics.labels.tolist() == np.bincount(predictions.label_index, minlength=4).tolist()
    assert statistics.reviewed == predictions.decisions.count("review")
    assert statistics.without_photo == 9
    assert statistics.mean_confidence == pytest.approx(predictions.confidences.mean(), abs=0.5 / CONFIDENCE_BINS)
    assert (statistics.text.count, statistics.photo.count) == (len(present), 0)
    np.testing.assert_allclose(statistics.text.mean, directions.mean(axis=0), rtol=1e-5)
    assert statistics.text.spread == pytest.approx(np.sqrt(directions.var(axis=0).sum()), rel=1e-5)


def test_a_chunk_without_photos_changes_no_photo_sum() -> None:
    photos = NormalisedMean.of(draw_vectors(20, absent=0))
    nothing = NormalisedMean.of(np.empty((7, 0), dtype=np.float32))
    absent = NormalisedMean.of(np.full((7, DIMENSIONS), np.nan, dtype=np.float32))
    for sums in (nothing + photos, photos + nothing, absent + photos):
        assert sums.count == photos.count
        np.testing.assert_array_equal(sums.total, photos.total)


def test_a_text_of_unknown_words_only_has_no_direction_and_does_not_count() -> None:
    vectors = np.vstack([draw_vectors(10, absent=0), np.zeros((3, DIMENSIONS), dtype=np.float32)])
    assert NormalisedMean.of(vectors).count == 10


def test_the_length_of_a_vector_does_not_matter() -> None:
    vectors = draw_vectors(10, absent=0)
    np.testing.assert_allclose(NormalisedMean.of(7 * vectors).total, NormalisedMean.of(vectors).total, rtol=1e-5)


def test_certainty_has_its_bin() -> None:
    predictions = draw_predictions(1)
    predictions.probabilities[:] = [[1.0, 0.0, 0.0, 0.0]]
    statistics = DriftStatistics.of(predictions, np.zeros(1, dtype=bool), draw_vectors(1), draw_vectors(1))
    assert statistics.confidences[-1] == 1


def test_statistics_come_back_from_plain_numbers() -> None:
    content = io.BytesIO()
    statistics = draw_statistics(30)
    np.savez(content, **statistics.to_arrays())
    content.seek(0)
    with np.load(content, allow_pickle=False) as stored:
        assert_same(DriftStatistics.from_arrays(dict(stored)), statistics)


def test_its_size_does_not_depend_on_the_number_of_products() -> None:
    few, many = (sum(values.nbytes for values in draw_statistics(count).to_arrays().values()) for count in (10, 5_000))
    assert few == many
