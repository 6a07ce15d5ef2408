"""A tally is the same whatever the order and the size of the chunks that it was counted in."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.models.monitoring.drift_statistics import CONFIDENCE_BINS, Directions, Tally
from tests.models.training.drawn_predictions import DIMENSIONS, draw_predictions, draw_tally, draw_vectors


def assert_same(one: Tally, other: Tally) -> None:
    for name, values in one.to_arrays().items():
        np.testing.assert_allclose(other.to_arrays()[name], values, rtol=1e-5, atol=1e-4, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 120), seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 120), max_size=4))
def test_chunks_of_any_size_in_any_order_add_up_to_the_whole(count: int, seed: int, cuts: list[int]) -> None:
    predictions, texts, photos = draw_predictions(count, seed), draw_vectors(count, seed), draw_vectors(count, seed + 1)
    missing = np.isnan(photos[:, 0])
    whole = Tally.of(predictions, missing, texts, photos)
    order = np.random.default_rng(seed).permutation(count)
    parts = np.split(order, sorted(min(cut, count) for cut in cuts))
    tallies = [
        Tally.of(predictions.take(rows), missing[rows], texts[rows], photos[rows]) for rows in parts if len(rows)
    ]
    found = tallies[0]
    for tally in tallies[1:]:
        found += tally
    assert_same(found, whole)


def test_it_counts_what_it_says() -> None:
    predictions, texts = draw_predictions(90), draw_vectors(90)
    tally = Tally.of(predictions, np.arange(90) < 9, texts, np.empty((90, 0), dtype=np.float32))
    present = texts[~np.isnan(texts[:, 0])].astype(np.float64)
    directions = present / np.linalg.norm(present, axis=1, keepdims=True)
    assert tally.products == 90
    assert tally.labels.tolist() == np.bincount(predictions.label_index, minlength=4).tolist()
    assert tally.reviewed == predictions.decisions.count("review")
    assert tally.without_photo == 9
    assert tally.mean_confidence == pytest.approx(predictions.confidences.mean(), abs=0.5 / CONFIDENCE_BINS)
    assert (tally.text.count, tally.photo.count) == (len(present), 0)
    np.testing.assert_allclose(tally.text.mean, directions.mean(axis=0), rtol=1e-5)
    assert tally.text.spread == pytest.approx(np.sqrt(directions.var(axis=0).sum()), rel=1e-5)


def test_a_chunk_without_photos_changes_no_photo_sum() -> None:
    photos = Directions.of(draw_vectors(20, absent=0))
    nothing = Directions.of(np.empty((7, 0), dtype=np.float32))
    absent = Directions.of(np.full((7, DIMENSIONS), np.nan, dtype=np.float32))
    for sums in (nothing + photos, photos + nothing, absent + photos):
        assert sums.count == photos.count
        np.testing.assert_array_equal(sums.total, photos.total)


def test_a_text_of_unknown_words_only_has_no_direction_and_does_not_count() -> None:
    vectors = np.vstack([draw_vectors(10, absent=0), np.zeros((3, DIMENSIONS), dtype=np.float32)])
    assert Directions.of(vectors).count == 10


def test_the_length_of_a_vector_does_not_matter() -> None:
    vectors = draw_vectors(10, absent=0)
    np.testing.assert_allclose(Directions.of(7 * vectors).total, Directions.of(vectors).total, rtol=1e-5)


def test_certainty_has_its_bin() -> None:
    predictions = draw_predictions(1)
    predictions.probabilities[:] = [[1.0, 0.0, 0.0, 0.0]]
    tally = Tally.of(predictions, np.zeros(1, dtype=bool), draw_vectors(1), draw_vectors(1))
    assert tally.confidences[-1] == 1


def test_a_tally_comes_back_from_plain_numbers() -> None:
    content = io.BytesIO()
    tally = draw_tally(30)
    np.savez(content, **tally.to_arrays())
    content.seek(0)
    with np.load(content, allow_pickle=False) as stored:
        assert_same(Tally.from_arrays(dict(stored)), tally)


def test_its_size_does_not_depend_on_the_number_of_products() -> None:
    few, many = (sum(values.nbytes for values in draw_tally(count).to_arrays().values()) for count in (10, 5_000))
    assert few == many
