"""Texts that differ in a number are one text; texts that differ in what they say are not."""

from __future__ import annotations

import numpy as np
import pytest

from include.models.evaluation import near_identical
from include.models.evaluation.near_identical import evaluation_groups, near_identical_keys

SERIES = "Printland PMR{} Ceramic Mug, 300 ml, white, printed on both sides, dishwasher safe, a gift for birthdays"
OTHER = "Analog watch for men with leather strap, quartz movement, water resistant up to thirty metres"


def test_a_series_of_one_seller_is_near_identical_and_another_product_is_not():
    first, second, other = near_identical_keys([SERIES.format(1903), SERIES.format(1277), OTHER])
    assert first == second is not None
    assert other not in {first, None}


def test_texts_linked_by_a_chain_share_a_key():
    words = [f"word{number:03d}" for number in range(80)]
    chain = [" ".join(words[start : start + 60]) for start in (0, 5, 10, 15)]
    first, last = near_identical_keys([chain[0], chain[3]])
    assert first != last
    assert len(set(near_identical_keys(chain))) == 1


def test_empty_texts_are_not_the_same_product():
    assert near_identical_keys(["", "  ", OTHER])[:2] == [None, None]
    assert near_identical_keys(["", ""]) == [None, None]
    assert near_identical_keys([]) == []


def test_the_index_is_exact_whatever_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch):
    chance = np.random.default_rng(0)
    words = [f"w{number:02d}" for number in range(30)]
    documents = [" ".join(sorted(chance.choice(words, 14, replace=False))) for _ in range(60)]
    whole = near_identical_keys(documents, 0.5)

    def pieces(text: str) -> set[str]:
        padded = [f" {word} " for word in text.split()]
        return {word[start : start + 5] for word in padded for start in range(max(1, len(word) - 4))}

    sets = [pieces(text) for text in documents]
    for first in range(60):
        for second in range(first):
            index = len(sets[first] & sets[second]) / len(sets[first] | sets[second])
            if index >= 0.5:
                assert whole[first] == whole[second]
    assert 1 < len(set(whole)) < 60
    monkeypatch.setattr(near_identical, "_BLOCK", 7)
    assert near_identical_keys(documents, 0.5) == whole


def test_a_short_list_can_be_compared_with_all_others_only():
    documents = [SERIES.format(1), SERIES.format(2), OTHER, OTHER + " in black"]
    keys = near_identical_keys(documents, among=np.array([2]))
    assert keys[2] == keys[3]
    assert keys[0] != keys[1]


def test_the_same_photo_or_nearly_the_same_text_make_a_group():
    documents = [SERIES.format(1), SERIES.format(2), OTHER, "Champagne brut", ""]
    groups = evaluation_groups(documents, ["a", "b", "b", None, None])
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups.tolist())) == 3
