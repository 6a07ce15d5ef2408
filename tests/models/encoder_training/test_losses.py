"""Distances between student and teacher."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from include.models.encoder_training.losses import ActivationLoss, EmbeddingLoss
from include.models.encoder_training.student import CEILING


def activation_error(stored: float, value: float) -> float:
    loss = ActivationLoss(scale=0.5, variances=np.array([4.0]))
    return float(loss(np.full((1, 2, 2, 1), stored, dtype=np.uint8), np.full((1, 2, 2, 1), value, dtype=np.float32)))


def test_activity_is_compared_in_the_channels_deviations() -> None:
    assert activation_error(4, 2.0) == 0
    assert activation_error(4, 5.0) == pytest.approx(9 / 4)
    assert activation_error(4, -1.0) == pytest.approx(9 / 4)


def test_a_silent_place_may_have_any_value_below_zero() -> None:
    assert activation_error(0, -30.0) == 0
    assert activation_error(0, 2.0) == pytest.approx(1)


def test_a_place_at_the_ceiling_may_have_any_value_above_it() -> None:
    assert activation_error(2 * CEILING, CEILING + 30) == 0
    assert activation_error(2 * CEILING, CEILING - 2) == pytest.approx(1)


def test_a_channel_that_hardly_varies_does_not_outweigh_the_others() -> None:
    loss = ActivationLoss(scale=1.0, variances=np.array([1.0, 1e-12]))
    stored = np.ones((1, 1, 1, 2), dtype=np.uint8)
    assert float(loss(stored, np.full((1, 1, 1, 2), 2.0, dtype=np.float32))) < 30


def test_embeddings_are_compared_by_size_and_by_angle() -> None:
    vectors = np.random.default_rng(0).normal(3.0, 2.0, size=(200, 8)).astype(np.float32)
    loss = EmbeddingLoss(vectors)
    assert float(loss(vectors, vectors)) == pytest.approx(0, abs=1e-5)
    mean = np.broadcast_to(vectors.mean(axis=0), vectors.shape) + 1e-3
    assert 0.9 < float(loss(vectors, mean)) < 2.2
    opposite = 2 * vectors.mean(axis=0) - vectors
    assert float(loss(vectors, opposite)) == pytest.approx(4 + 2, rel=0.05)


def test_the_angle_has_a_gradient_on_every_backend() -> None:
    vectors = np.eye(3, dtype=np.float32)
    values = keras.ops.convert_to_numpy(EmbeddingLoss(vectors).call(vectors, np.ones((3, 3), dtype=np.float32)))
    assert values.shape == (3,)
    assert np.isfinite(values).all()
