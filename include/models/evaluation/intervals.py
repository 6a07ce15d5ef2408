"""95 % intervals that know that products of one content group are not independent.

Groups, not products, are resampled (cluster bootstrap; BCa correction of Efron, "Better Bootstrap Confidence
Intervals", 1987, by SciPy). A share of exactly 0 or 1 would get an interval without width: there, Wilson's score
interval with the number of groups takes its place. The models are not trained again: the intervals are about the
products tested, given the models of the folds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from include.models.evaluation.metrics import weighted_mean
from include.models.evaluation.results import Interval

LEVEL = 0.95
RESAMPLES = 1000
METHOD = (
    f"bootstrap over content groups (BCa, {RESAMPLES} resamples); Wilson's score interval over groups where a share is "
    "exactly 0 or 1"
)


def share_interval(values: np.ndarray, groups: np.ndarray, seed: int = 0) -> Interval:
    """Interval of the mean of 0/1 values (n,), at least one, with groups int64 (n,)."""
    value = float(np.mean(values))
    count = len(np.unique(groups))
    if value in (0.0, 1.0):
        return wilson_interval(round(value) * count, count)
    return statistic_interval(_mean_of(np.asarray(values, dtype=np.float64)), groups, seed)


def mean_interval(values: np.ndarray, groups: np.ndarray, seed: int = 0) -> Interval:
    """Interval of the mean of any values (n,), at least one."""
    return statistic_interval(_mean_of(np.asarray(values, dtype=np.float64)), groups, seed)


def statistic_interval(
    statistic: Callable[[np.ndarray], float], groups: np.ndarray, seed: int = 0, level: float = LEVEL
) -> Interval:
    """Interval of a statistic of row weights, float64 (n,): all 1 for the data as they are."""
    from scipy.stats import bootstrap

    numbers = np.unique(groups, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    value = float(statistic(np.ones(len(groups))))
    if count < 2:
        return Interval(value, value, value)

    def of_sample(drawn: np.ndarray) -> float:
        return statistic(np.bincount(drawn, minlength=count)[numbers].astype(np.float64))

    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the correction is undefined where all resamples lie on one side
            found = bootstrap(
                (np.arange(count),), of_sample, vectorized=False, n_resamples=RESAMPLES, method=method,
                confidence_level=level, rng=np.random.default_rng(seed),
            ).confidence_interval  # fmt: skip
        if np.isfinite([found.low, found.high]).all():
            break
    return Interval(value, min(float(found.low), value), max(float(found.high), value))


def wilson_interval(successes: int, trials: int) -> Interval:
    """Wilson's score interval of a share of independent trials, at least one."""
    from scipy.stats import binomtest

    found = binomtest(successes, trials).proportion_ci(LEVEL, method="wilson")
    value = successes / trials
    return Interval(value, min(float(found.low), value), max(float(found.high), value))


def _mean_of(values: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda weights: weighted_mean(values, weights)
