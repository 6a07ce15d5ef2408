"""Whether one way to predict is better than another, or was luckier: McNemar's exact test on the same products."""

from __future__ import annotations

import numpy as np

from include.models.evaluation.results import Comparison


def compare(first: str, second: str, first_right: np.ndarray, second_right: np.ndarray) -> Comparison:
    """McNemar's test, exact and two-sided, of two bool arrays (n,) about the same products in the same order.

    Only the products on which exactly one is right are informative. Source: McNemar, "Note on the sampling error of
    the difference between correlated proportions or percentages", 1947.
    """
    from scipy.stats import binomtest

    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    discordant = only_first + only_second
    p_value = float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return Comparison(first, second, len(first_right), only_first, only_second, p_value)
