"""The first rule that applies to a product is found in one pass over its texts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.plain_words import plain_words
from include.rules import Rule, RuleBook, read_rule
from include.taxonomy import load_taxonomy
from tests.hidden_spellings import HIDDEN_SPELLINGS
from tests.patterns.growth import grows_too_fast

BOOK = load_taxonomy().rules

_PHRASES = sorted({phrase for rule in BOOK.rules for listed in rule.phrases.values() for phrase in listed})
_words = st.lists(st.sampled_from(_PHRASES) | st.sampled_from(["12", "75cl", "Ünd", "x"]), max_size=4).map(
    lambda phrases: " ".join(phrase.replace("*", "s" * (len(phrase) % 2)) for phrase in phrases)
)


_PATTERNS = {
    "starts": "^ (?:{})(?= )",
    "ends": " (?:{})(?= $)",
    "made_of": r"^(?: (?:{}|\d\w*))+ $",
    "ingredients_start": "^ (?:{})(?= )",
    "ingredients_made_of": r"^(?: (?:{}|\d\w*))+ $",
}
"""How a condition looks for its phrases, where not anywhere."""


@lru_cache
def pattern(condition: str, phrases: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern that finds one of the phrases where the condition looks for them."""
    plain = {(re.escape(plain_words(one).strip()) or r"\w") + r"\w*" * one.endswith("*") for one in phrases}
    return re.compile(_PATTERNS.get(condition, " (?:{})(?= )").format("|".join(sorted(plain))))


def first_of_all(book: RuleBook, name: str | None, ingredients: str | None, brand: str | None) -> Rule | None:
    """The first rule that applies, by searching for each condition of one rule after the other."""
    name, ingredients, brand = plain_words(name), plain_words(ingredients), plain_words(brand)

    def is_met(condition: str, phrases: Sequence[str]) -> bool:
        text = ingredients if "ingredients" in condition else name + brand if condition == "brand_or_name" else name
        is_found = pattern(condition, tuple(phrases)).search(text) is not None
        return is_found != (condition in ("without", "no_ingredients"))

    return next((rule for rule in book.rules if all(is_met(*condition) for condition in rule.phrases.items())), None)


@given(_words, _words, _words)
def test_one_pass_gives_what_searching_for_every_condition_gives(name: str, ingredients: str, brand: str) -> None:
    assert BOOK.first(name, ingredients, brand) is first_of_all(BOOK, name, ingredients, brand)


_small = st.sampled_from(["a", "ab", "a b", "b a", "abc", "ab*", "b a*", "*", "1"])
_conditions = st.dictionaries(
    st.sampled_from(
        ["starts", "ends", "name", "and_name", "made_of", "without", "brand_or_name", "ingredients",
         "ingredients_start", "ingredients_made_of", "no_ingredients"]
    ),
    st.lists(_small, min_size=1, max_size=3),
    min_size=1,
).filter(lambda conditions: bool(set(conditions) - {"without", "no_ingredients"}))  # fmt: skip
_texts = st.lists(st.sampled_from(["a", "b", "ab", "abc", "bad", "1", "12a", "é"]), max_size=4).map(" ".join)


@given(st.lists(_conditions, min_size=1, max_size=4), _texts, _texts, _texts)
def test_one_pass_is_right_for_any_rules(
    conditions: list[dict[str, list[str]]], name: str, ingredients: str, brand: str
) -> None:
    rules = [read_rule({"rule": f"rule {n}", "label": "x", **asked}, {}) for n, asked in enumerate(conditions)]
    book = RuleBook(rules)
    assert book.first(name, ingredients, brand) is first_of_all(book, name, ingredients, brand)


def test_one_pass_is_right_for_real_products(shared_data: Path) -> None:
    with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as stream:
        rows = list(map(json.loads, stream))
    texts = [(row.get("product_name"), row.get("ingredients_text"), row.get("brands")) for row in rows]
    assert len(texts) > 1_000
    expected = [first_of_all(BOOK, *one) for one in texts]
    assert sum(rule is not None for rule in expected) > 1_000
    assert [BOOK.first(*one) for one in texts] == expected


def test_words_of_any_length_take_time_in_proportion() -> None:
    for text_of in (lambda n: "x" * n, lambda n: "champagne" * n, lambda n: "champ " * n, lambda n: "é" * n):
        assert grows_too_fast(lambda text: BOOK.first(text, text, text), text_of) is None


def test_a_phrase_without_a_word_is_never_found() -> None:
    found, excluded = (
        {"rule": "1", "label": "x", "name": ["brut"], condition: ["!"]} for condition in ("ends", "without")
    )
    assert RuleBook([read_rule(found, {})]).first("brut !", None, None) is None
    assert RuleBook([read_rule(excluded, {})]).first("brut !", None, None) is not None


@pytest.mark.parametrize("text", ["\x00 brut", "brut \ud800", "\U0001d7ff brut", "brut\x00"])
def test_a_phrase_is_found_beside_any_character(text: str) -> None:
    rule = read_rule({"rule": "1", "label": "x", "name": ["brut"]}, {})
    assert RuleBook([rule]).first(text, None, None) is rule


def test_the_rules_of_the_taxonomy_take_time_in_proportion_to_the_text() -> None:
    for piece in (
        "extra brut ",
        "champagne ",
        "vinaigre de ",
        "12 ",
        "brut nature ",
        "biere",
        "&amp;",
        "cham\u00adpagne ",
    ):
        assert (
            grows_too_fast(lambda text: BOOK.first(text, text, text), lambda n, p=piece: f"champagne {p * n}zz") is None
        )


@pytest.mark.parametrize("spelling", HIDDEN_SPELLINGS)
def test_a_hidden_word_gives_the_label_of_the_plain_one(spelling: str) -> None:
    plain = BOOK.first("Truffes au champagne", None, None)
    assert plain is not None and plain.label == "chocolate"
    assert BOOK.first(f"Truffes au {spelling}", None, None) is plain
