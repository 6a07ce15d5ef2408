"""The index of the written rules leaves out no rule that applies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
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


def first_of_all(book: RuleBook, name: str | None, ingredients: str | None, brand: str | None) -> Rule | None:
    """The first rule that applies, by asking one after the other."""
    texts = plain_words(name), plain_words(ingredients), plain_words(brand)
    return next((rule for rule in book.rules if rule.asks_for(*texts) and not rule.excludes(*texts)), None)


@hypothesis_settings(deadline=None)
@given(st.lists(st.tuples(_words, _words, _words), min_size=1, max_size=5))
def test_many_products_at_once_get_what_each_gets(products: list[tuple[str, str, str]]) -> None:
    many = products * 40
    names, ingredients, brands = map(list, zip(*many, strict=True))
    assert BOOK.first_of_each(names, ingredients, brands) == [first_of_all(BOOK, *one) for one in products] * 40


@given(_words, _words, _words)
def test_the_index_gives_what_asking_every_rule_gives(name: str, ingredients: str, brand: str) -> None:
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
def test_the_index_holds_for_any_rules(
    conditions: list[dict[str, list[str]]], name: str, ingredients: str, brand: str
) -> None:
    rules = [read_rule({"rule": f"rule {n}", "label": "x", **asked}, {}) for n, asked in enumerate(conditions)]
    book = RuleBook(rules)
    assert book.first(name, ingredients, brand) is first_of_all(book, name, ingredients, brand)


def test_the_index_holds_for_real_products(shared_data: Path) -> None:
    with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as stream:
        rows = list(map(json.loads, stream))
    texts = [(row.get("product_name"), row.get("ingredients_text"), row.get("brands")) for row in rows]
    assert len(texts) > 1_000
    expected = [first_of_all(BOOK, *one) for one in texts]
    assert [BOOK.first(*one) for one in texts] == expected
    names, ingredients, brands = map(list, zip(*texts, strict=True))
    assert BOOK.first_of_each(names, ingredients, brands) == expected


def test_words_of_any_length_are_looked_up_in_proportion_and_not_kept() -> None:
    for text_of in (lambda n: "x" * n, lambda n: "champagne" * n, lambda n: "champ " * n, lambda n: "é" * n):
        assert grows_too_fast(lambda text: BOOK.first(text, text, text), text_of) is None
    remembered = BOOK._of_ingredients.__self__  # type: ignore[attr-defined]
    assert max(map(len, remembered)) < 100


def test_the_index_forgets_rather_than_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.rules._KNOWN_WORDS", 3)
    book = RuleBook([read_rule({"rule": "1", "label": "x", "name": ["brut*"]}, {})])
    found = [book.first(name, None, None) for name in ("a", "b", "c", "d", "brute", "a b c d", "brutal")]
    assert [bool(one) for one in found] == [False, False, False, False, True, False, True]
    assert len(book._of_name.__self__) <= 3  # type: ignore[attr-defined]


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
    products = 100
    assert (
        BOOK.first_of_each([f"Truffes au {spelling}"] * products, [None] * products, [spelling] * products)
        == [BOOK.first("Truffes au champagne", None, "champagne")] * products
    )
