"""Agreement of clusters and labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from include.models.evaluation.scoring import adjusted_rand_index, ari_interval


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 500), st.integers(2, 60))
def test_the_index_is_that_of_scikit_learn(seed, size):
    chance = np.random.default_rng(seed)
    clusters, labels = chance.integers(0, 3, size), chance.integers(0, 4, size)
    table = np.zeros((4, 3))
    np.add.at(table, (labels, clusters), 1.0)
    assert adjusted_rand_index(table) == pytest.approx(adjusted_rand_score(labels, clusters))


def test_clusters_that_are_the_labels_are_certain_and_chance_is_about_zero():
    labels = np.repeat([3, 5, 9], 30)
    found = ari_interval(np.repeat([1, 0, 2], 30), labels, np.arange(90))
    assert (found.low, found.value, found.high) == (1.0, 1.0, 1.0)
    by_chance = ari_interval(np.random.default_rng(0).integers(0, 3, 90), labels, np.arange(90))
    assert abs(by_chance.value) < 0.1
    assert by_chance.low < by_chance.value < by_chance.high
