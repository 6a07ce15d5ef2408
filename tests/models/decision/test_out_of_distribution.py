from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.models.decision.out_of_distribution import familiar_limits, fit_detector


def drawn(rows: int, dimensions: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of three labels, far from 0 and from each other, in four of the dimensions only."""
    chance = np.random.default_rng(seed)
    targets = chance.integers(0, 3, rows)
    vectors = np.zeros((rows, dimensions))
    vectors[:, :4] = np.eye(4)[targets] + 0.1 * chance.normal(size=(rows, 4))
    return (vectors + 0.01 * chance.normal(size=vectors.shape)).astype(np.float32), targets


def test_what_is_like_the_examples_is_closer_than_anything_else():
    detector = fit_detector(*drawn(300), seed=0)
    chance = np.random.default_rng(5)
    like = detector.closeness(drawn(200, seed=1)[0])
    other_direction = np.zeros((50, 12), dtype=np.float32)
    other_direction[:, 7] = 1.0
    for strange in (other_direction, chance.normal(size=(50, 12)).astype(np.float32)):
        assert detector.closeness(strange).max() < np.quantile(like, 0.01)


def test_an_embedding_of_zeros_is_the_least_familiar():
    detector = fit_detector(*drawn(300), seed=0)
    closeness = detector.closeness(np.vstack([np.zeros((1, 12)), -np.ones((1, 12))]).astype(np.float32))
    assert closeness[0] < closeness[1]


def test_the_length_of_an_embedding_does_not_matter():
    detector, vectors = fit_detector(*drawn(300), seed=0), drawn(20, seed=1)[0]
    assert np.allclose(detector.closeness(vectors), detector.closeness(vectors * 7), rtol=1e-4)


@pytest.mark.parametrize("rows", [6, 30, 200])
def test_few_examples_are_enough_to_fit(rows):
    detector = fit_detector(*drawn(rows), seed=0)
    assert np.isfinite(detector.closeness(drawn(10, seed=3)[0])).all()
    assert len(detector.closeness(np.empty((0, 12), np.float32))) == 0


@given(st.integers(0, 50), st.integers(20, 400), st.sampled_from([0.9, 0.95, 0.99]))
def test_as_many_held_out_products_pass_as_asked_for(seed, rows, share):
    signals = np.random.default_rng(seed).normal(size=(rows, 3))
    passed = (signals >= familiar_limits(signals, share)).all(axis=1)
    assert passed.mean() >= share - 1 / rows


def test_nothing_is_rejected_when_all_must_pass():
    signals = np.random.default_rng(0).normal(size=(50, 2))
    assert (signals >= familiar_limits(signals, 1.0)).all()
    assert familiar_limits(np.empty((0, 2)), 0.99).tolist() == [-np.inf, -np.inf]
