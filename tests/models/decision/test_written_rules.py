from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.models.decision.written_rules import (
    NO_RULE,
    UNKNOWN_LABEL,
    apply_rule_boost,
    contradicts,
    encode_rule_labels,
    fit_agreement_weight,
    rule_labels,
)

NAMES = ("champagne", "biscuit", "vinegar")


def rows(*probabilities: list[float]) -> np.ndarray:
    return np.array(probabilities, dtype=np.float32)


def test_the_rules_of_the_taxonomy_read_name_ingredients_and_brand():
    products = pa.table(
        {
            "brand": pa.nulls(4, pa.string()),
            "name": ["Biscoito Champagne", "White Oak Aged Champagne", "Something", None],
            "ingredients": [None, "Champagne vinegar", None, None],
        }
    )
    assert rule_labels(products) == ["biscuit", "vinegar", None, None]


def test_a_label_that_the_model_does_not_have_differs_from_no_rule():
    assert encode_rule_labels(["biscuit", None, "perfume"], NAMES).tolist() == [1, NO_RULE, UNKNOWN_LABEL]
    assert encode_rule_labels([], NAMES).dtype == np.int64


def test_a_rule_multiplies_the_odds_of_its_label_and_of_no_other():
    before = rows([0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.8, 0.1, 0.1])
    after = apply_rule_boost(before, np.array([1, NO_RULE, UNKNOWN_LABEL]), np.full(3, np.log(8.0)))
    assert after[0] == pytest.approx([0.8 / 1.7, 0.8 / 1.7, 0.1 / 1.7])
    np.testing.assert_array_equal(after[1:], before[1:])


def test_without_weight_rules_change_nothing():
    before = rows([0.8, 0.1, 0.1])
    np.testing.assert_array_equal(apply_rule_boost(before, np.array([2]), np.zeros(1)), before)


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda row: sum(row) > 0.01), min_size=1),
    st.data(),
)
def test_a_boost_keeps_a_distribution_and_never_lowers_the_label_of_the_rule(weights, data):
    before = np.array(weights, dtype=np.float32)
    before /= before.sum(axis=1, keepdims=True)
    rule_labels = np.array([data.draw(st.integers(UNKNOWN_LABEL, 2)) for _ in weights])
    after = apply_rule_boost(before, rule_labels, np.full(len(rule_labels), 5.0))
    assert after.sum(axis=1) == pytest.approx(np.ones(len(weights)), abs=1e-5)
    boosted = np.flatnonzero(rule_labels >= 0)
    assert (after[boosted, rule_labels[boosted]] >= before[boosted, rule_labels[boosted]] - 1e-6).all()


def test_a_rule_contradicts_when_it_names_another_label_even_one_that_the_model_cannot_give():
    likeliest_first = rows(*[[0.8, 0.1, 0.1]] * 4)
    found = contradicts(np.array([0, 1, NO_RULE, UNKNOWN_LABEL]), likeliest_first)
    assert found.tolist() == [False, True, False, True]


@pytest.mark.parametrize(("right_of_ten", "least", "most"), [(10, 4.9, 5.0), (8, 0.8, 1.1), (6, 0.0, 0.01)])
def test_an_agreeing_rule_raises_the_confidence_by_as_much_as_it_was_right(right_of_ten, least, most):
    unsure = rows(*[[0.6, 0.2, 0.2]] * 200)
    targets = np.where(np.arange(200) % 10 < right_of_ten, 0, 1)
    assert least <= fit_agreement_weight(unsure, np.zeros(200, dtype=np.int64), targets) <= most


def test_few_products_fit_no_agreement_weight():
    assert (
        fit_agreement_weight(rows(*[[0.6, 0.2, 0.2]] * 20), np.zeros(20, dtype=np.int64), np.zeros(20, dtype=np.int64))
        == 0
    )
