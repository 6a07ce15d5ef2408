"""Folds are complete, keep groups whole, and differ between repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.models.evaluation.folds import repeated_group_folds, require_no_leak, share_of_groups


def draw(seed: int, size: int) -> tuple[list[str], np.ndarray]:
    chance = np.random.default_rng(seed)
    groups = chance.integers(0, size // 2, size)
    return [("watches", "champagne", "vinegar")[group % 3] for group in groups.tolist()], groups


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 500), st.integers(60, 150))
def test_every_product_is_tested_once_per_repeat_and_no_group_is_split(seed, size):
    labels, groups = draw(seed, size)
    numbers = repeated_group_folds(labels, groups, folds=4, repeats=2, seed=seed)
    assert numbers.shape == (2, size)
    for repeat in numbers:
        assert set(repeat.tolist()) == {0, 1, 2, 3}
        for fold in range(4):
            require_no_leak(groups, np.flatnonzero(repeat != fold), np.flatnonzero(repeat == fold))


def test_repeats_split_again_and_the_same_seed_splits_alike():
    labels, groups = draw(1, 100)
    numbers = repeated_group_folds(labels, groups, folds=5, repeats=2, seed=3)
    assert (numbers[0] != numbers[1]).any()
    assert (numbers == repeated_group_folds(labels, groups, folds=5, repeats=2, seed=3)).all()


def test_a_group_on_both_sides_is_found():
    with pytest.raises(AssertionError, match="both sides"):
        require_no_leak(np.array([0, 1, 1, 2]), np.array([0, 1]), np.array([2, 3]))


def test_too_few_products_are_refused_with_what_to_do():
    with pytest.raises(ConfigurationError, match="--folds"):
        repeated_group_folds(["a"] * 6, np.array([0, 0, 1, 1, 2, 2]), folds=5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 500), st.floats(0.1, 0.9))
def test_a_larger_share_holds_the_smaller_one_whole_groups_and_all_labels(seed, share):
    labels, groups = draw(seed, 120)
    small = share_of_groups(groups, labels, share / 2, seed)
    large = share_of_groups(groups, labels, share, seed)
    assert set(small) <= set(large)
    assert not set(groups[small]) & set(np.delete(groups, small))
    assert {labels[row] for row in small} == set(labels)
    assert share_of_groups(groups, labels, 1.0, seed).tolist() == list(range(120))
