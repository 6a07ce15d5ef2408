"""Clusters of an embedding."""

from __future__ import annotations

import numpy as np
import pytest

from include.features.clustering import cluster_ari, cluster_embedding, lay_out

LABELS = np.repeat([4, 7, 9], 30)


def blobs(spread: float) -> np.ndarray:
    chooser = np.random.default_rng(3)
    centres = chooser.normal(size=(3, 20))[np.repeat([0, 1, 2], 30)]
    return (centres + spread * chooser.normal(size=(90, 20))).astype(np.float32)


def test_well_separated_groups_are_found() -> None:
    assert cluster_ari(blobs(0.1), LABELS) == 1


def test_noise_agrees_with_no_labels() -> None:
    noise = np.random.default_rng(0).normal(size=(90, 20)).astype(np.float32)
    assert abs(cluster_ari(noise, LABELS)) < 0.1


def test_the_same_seed_gives_the_same_plane_and_clusters() -> None:
    vectors = blobs(1.0)
    np.testing.assert_array_equal(lay_out(vectors, seed=5), lay_out(vectors, seed=5))
    np.testing.assert_array_equal(cluster_embedding(vectors, 3, seed=5), cluster_embedding(vectors, 3, seed=5))


@pytest.mark.parametrize("vectors", [np.zeros((12, 4)), np.eye(3), np.ones((5, 1))], ids=["alike", "few", "one"])
def test_small_or_empty_embeddings_are_laid_out(vectors: np.ndarray) -> None:
    plane = lay_out(vectors.astype(np.float32))
    assert plane.shape == (len(vectors), 2)
    assert np.isfinite(plane).all()
