"""Intervals hold the truth as often as they say, and know that products of a group are alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.models.evaluation import intervals
from include.models.evaluation.intervals import mean_interval, share_interval, statistic_interval, wilson_interval


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "RESAMPLES", 150)


def test_intervals_of_grouped_shares_hold_the_truth_about_as_often_as_they_say():
    chance = np.random.default_rng(0)
    held = 0
    for trial in range(60):
        groups = np.repeat(np.arange(60), 4)
        of_group = chance.beta(8, 2, 60)  # products of a group are right together, or wrong together
        correct = chance.random(240) < of_group[groups]
        found = share_interval(correct, groups, seed=trial)
        held += found.low <= 0.8 <= found.high
    assert 51 <= held <= 60


def test_products_of_one_group_are_less_evidence_than_as_many_single_ones():
    correct = np.repeat(np.random.default_rng(1).random(40) < 0.8, 6)
    grouped = share_interval(correct, np.repeat(np.arange(40), 6))
    single = share_interval(correct, np.arange(240))
    assert grouped.high - grouped.low > 1.8 * (single.high - single.low)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40), st.floats(0, 1))
def test_an_interval_surrounds_its_value_and_stays_a_share(seed, size, share):
    chance = np.random.default_rng(seed)
    found = share_interval(chance.random(size) < share, chance.integers(0, 10, size), seed)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0


def test_all_right_is_no_proof_of_perfection():
    found = share_interval(np.ones(30, dtype=bool), np.arange(30))
    assert found.value == found.high == 1.0
    assert found.low == pytest.approx(0.8865, abs=1e-3)  # Wilson, 30 of 30


def test_wilson_gives_the_published_figures():
    found = wilson_interval(81, 263)  # Newcombe, "Two-sided confidence intervals for the single proportion", 1998
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_one_group_alone_has_no_spread_to_tell():
    found = mean_interval(np.array([1.0, 2.0, 6.0]), np.zeros(3, dtype=np.int64))
    assert (found.low, found.value, found.high) == (3.0, 3.0, 3.0)


def test_the_same_seed_gives_the_same_interval():
    values, groups = np.random.default_rng(2).random(50), np.arange(50)
    assert mean_interval(values, groups, seed=5) == mean_interval(values, groups, seed=5)


def test_a_statistic_that_does_not_vary_keeps_its_value():
    found = statistic_interval(lambda _weights: 0.25, np.arange(9))
    assert (found.low, found.value, found.high) == (0.25, 0.25, 0.25)
