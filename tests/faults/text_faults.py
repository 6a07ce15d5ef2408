"""Hostile texts in one product, on their whole way: record, filter, row rules, document, rules, text features."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from include.features.text import document
from include.features.text.cleaning import MAX_DOCUMENT_CHARACTERS
from include.features.text.interface import TextEncoder
from include.quality.row_rules import RowRules
from include.schema import Product, Rejection
from include.sources.feed import belongs_to_feed, could_belong_to_feed
from include.sources.openfoodfacts_record import parse_product
from include.taxonomy import load_taxonomy
from tests.faults.fault import Fault
from tests.features.text.encoders import fit
from tests.hidden_spellings import HIDDEN_SPELLINGS

_CODE = "3018333000014"
_LONGEST_NAME, _LONGEST_TEXT = 500, 50_000
"""Characters that the row rules take."""
_PIECES = [
    "&#", "&amp;", "&amp", "&#38;#38;", "&am&#112;;", "&shy;", "&lt;b&gt;", "<!--", "<!-->", "<a ", "<<b>", "_", "a__",
    "_a", "at rs. ", "for at ", "rs. for ", "only flipkart ", "rs. buy ", "rs. also get ", "free ", "key features of ",
    "a\u0301\u0316", "\u0344", "c\u0336", "\u200b", "\u00ad", "ｃ", "\U0001d41a", "❤\ufe0f", "İ", "\ufdfa", "\ufdfa ",
    "漢", "!", "$", "(", "l'", "'s", "x", "1", "5kg", "a:", "http://a.", "; a:", "extra brut ", "champagne ",
    "brut nature ", "vinaigre ", "champagne",
]  # fmt: skip


def _product(name: str, ingredients: str | None = None, brand: str | None = None) -> Product | Rejection:
    payload = {"code": _CODE, "product_name": name, "brands": brand, "ingredients_text": ingredients, "lang": "fr"}
    return parse_product({key: value for key, value in payload.items() if value is not None}, "openfoodfacts", "a:1")


@cache
def _encoder() -> TextEncoder:
    kinds = ("Champagne brut", "Truffes au champagne", "Vinaigre de vin", "Biscuits roses", "Moutarde au miel")
    names = [f"{kind} {number}" for kind in kinds for number in range(12)]
    return fit([document(name, None, None, "sucre, sel") for name in names])


def _outcome(record: Product | Rejection) -> str:
    """What came of a record: `not champagne`, `quarantined: REASONS` or `kept: LABEL`; its vector is checked."""
    taxonomy = load_taxonomy()
    is_wanted = (
        belongs_to_feed(record, taxonomy) if isinstance(record, Product) else could_belong_to_feed(record.raw, taxonomy)
    )
    if not is_wanted:
        return "not champagne"
    judged = RowRules().check(record, "a:1")
    if isinstance(judged, Rejection):
        return f"quarantined: {', '.join(judged.reasons)}"
    text = document(judged.name, judged.brand, judged.description, judged.ingredients)
    text.encode("utf-8")
    assert 0 < len(text) <= MAX_DOCUMENT_CHARACTERS
    label = taxonomy.label_from_rules(judged.name, judged.ingredients, judged.brand)
    vector = _encoder().encode([text])[0]
    assert np.isfinite(vector).all()
    return f"kept: {label}"


def _comes_to(expected: str, name: str, ingredients: str | None) -> str:
    found = _outcome(_product(name, ingredients))
    assert found == expected, f"{found}, not {expected}"
    return found


def _many_times(piece: str) -> str:
    """The piece as long as the row rules take it, in every text of a product that is champagne."""
    name = f"Champagne brut {piece * (_LONGEST_NAME // len(piece))}"[:_LONGEST_NAME]
    ingredients = f"raisin, rs. {piece * (_LONGEST_TEXT // len(piece))}"[: _LONGEST_TEXT - 5] + " zzzz"
    found = _outcome(_product(name, ingredients, brand=piece * (4_000 // len(piece))))
    assert found.startswith("kept: "), found
    return found


def _hidden(spelling: str) -> str:
    """The same product in a hidden and in the plain spelling: the same documents, labels and quarantine."""
    plain, hidden = (_product(f"Truffes au {word}", f"sucre, {word}") for word in ("champagne", spelling))
    assert isinstance(plain, Product) and isinstance(hidden, Product)
    documents = {document(one.name, one.brand, one.description, one.ingredients) for one in (plain, hidden)}
    assert documents == {"Truffes au champagne\nsucre, champagne"}, documents
    found = _outcome(hidden)
    assert found in (_outcome(plain), "quarantined: control_characters"), found
    return found


def _all_hidden() -> str:
    outcomes = {_hidden(spelling) for spelling in HIDDEN_SPELLINGS}
    assert outcomes == {"kept: chocolate", "quarantined: control_characters"}, outcomes
    return f"{len(HIDDEN_SPELLINGS)} spellings: {', '.join(sorted(outcomes))}"


def _a_thousand_long_words() -> str:
    """Words of a text's length, each another one: what is remembered of words must not grow with them."""
    taxonomy = load_taxonomy()
    for number in range(1_000):
        word = f"{number}x" + "champagne" * (_LONGEST_TEXT // 9 - 1)
        assert taxonomy.label_from_rules(f"Vinaigre {number}", word, word) == "vinegar"
        assert len(document(word, None, None, None)) == MAX_DOCUMENT_CHARACTERS
    return "1,000 words of 50,000 letters"


def _fault(name: str, inject: Callable[[], str], *, is_quick: bool = False) -> Fault:
    return Fault(f"text: {name}", inject, limit_seconds=10.0, limit_mib=300.0, is_quick=is_quick)


def _text(
    name: str, expected: str, product_name: str, ingredients: str | None = None, *, is_quick: bool = False
) -> Fault:
    return _fault(name, partial(_comes_to, expected, product_name, ingredients), is_quick=is_quick)


_ENTITY = "vin &#" + "9" * 4_400 + "; sulfites"
_EXTRA_BRUT = "Champagne " + "extra brut " * 38 + "zzzz"

FAULTS = [
    _text("entity of 4,400 digits", "kept: vinegar", "Vinaigre de champagne", _ENTITY, is_quick=True),
    _text("extra brut 38 times, and another word", "kept: champagne", _EXTRA_BRUT, is_quick=True),
    _text("a name of what is not seen", "quarantined: no_name", "\u2060\u3164", "champagne", is_quick=True),
    _text("a name of entities that are not seen", "quarantined: no_name", "&shy;&nbsp;", "champagne"),
    _text("ingredients of a million characters", "quarantined: text_too_long", "Champagne", "x, " * 333_333),
    _text("a name of a million characters", "quarantined: name_too_long", "champagne" * 111_111),
    _text("a million characters that are no champagne", "not champagne", "Sel", "&#x" * 333_333),
    _fault("hidden spellings of champagne", _all_hidden, is_quick=True),
    _fault("words of the length of a text", _a_thousand_long_words),
    *(_fault(f"{piece!a} as often as it fits", partial(_many_times, piece)) for piece in _PIECES),
]
