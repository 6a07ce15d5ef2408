"""McNemar's exact test."""

from __future__ import annotations

import numpy as np
import pytest

from include.models.evaluation.comparison import compare


def answers(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(True, True)] * both + [(True, False)] * first + [(False, True)] * second + [(False, False)] * neither
    right = np.array(pairs, dtype=bool)
    return right[:, 0], right[:, 1]


def test_only_products_on_which_one_alone_is_right_count():
    found = compare("a", "b", *answers(900, 9, 1, 50))
    assert (found.products, found.only_first_right, found.only_second_right) == (960, 9, 1)
    assert found.p_value == pytest.approx(2 * 11 / 2**10)  # binomial: one or fewer of ten, both sides
    assert compare("a", "b", *answers(0, 9, 1, 0)).p_value == found.p_value


def test_the_order_does_not_matter_and_no_difference_is_no_evidence():
    first, second = answers(10, 7, 3, 5)
    assert compare("a", "b", first, second).p_value == compare("b", "a", second, first).p_value
    assert compare("a", "a", first, first).p_value == 1.0
