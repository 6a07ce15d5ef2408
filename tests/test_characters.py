"""What of a text is seen."""

from __future__ import annotations

import html
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.characters import (
    decode_entities,
    has_letters_or_digits,
    is_blank,
    is_invisible,
    may_hide_something,
    reveal,
)
from include.features.text import document
from tests.hidden_spellings import HIDDEN_SPELLINGS
from tests.patterns.growth import grows_too_fast

_PIECES = ["&", "&amp", "&eacute;", "&notit;", "&#", "&#x", "0", "65", "1114111", "1114112", "41", "10FFFF", "110000",
           ";", "x",
           "é", " "]  # fmt: skip
texts = st.text() | st.lists(st.sampled_from(_PIECES)).map("".join)


@given(texts)
def test_entities_are_what_html_says(text: str) -> None:
    if not any(nested in text.lower() for nested in ("&amp;", "&#38;", "&#x26;")):
        assert decode_entities(text) == html.unescape(text)


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("&#" + "9" * 4_400 + ";x", "\ufffdx"),
        ("&#" + "0" * 4_400 + "233x", "éx"),
        ("&#X" + "0" * 9_000 + "e9;", "é"),
        ("&#x" + "f" * 9_000, "\ufffd"),
        ("caf&amp;amp;eacute; &#38;amp; t&eacute", "café & té"),
        ("&#00000000;", "\ufffd"),
    ],
)
def test_numbers_of_any_length_are_read(text: str, decoded: str) -> None:
    assert decode_entities(text) == decoded


@pytest.mark.parametrize("spelling", [one for one in HIDDEN_SPELLINGS if "&" not in one])
def test_a_hidden_word_is_revealed(spelling: str) -> None:
    assert may_hide_something(spelling)
    assert reveal(spelling) == "champagne"


@pytest.mark.parametrize(
    "text",
    ["75 cℓ", "❤️ rosé", "1️⃣", "½ ² ™ №", "（新品）", "ﬁn", "नमस्ते", "ประเทศไทย", "שָׁלוֹם", "ﾊﾞﾅﾅ", "e\u0301"],
)
def test_ordinary_signs_and_scripts_are_left(text: str) -> None:
    assert reveal(text) == text


@given(st.text())
def test_what_is_not_hidden_is_left(text: str) -> None:
    if not may_hide_something(text):
        assert reveal(text) == text
    assert len(reveal(text)) <= len(text)


def test_no_character_is_both_white_space_and_invisible() -> None:
    invisible = [one for one in map(chr, range(0x110000)) if is_invisible(one)]
    assert len(invisible) > 4_000
    assert not [one for one in invisible if one.isspace() or unicodedata.category(one) in ("Lu", "Ll", "Nd", "Po")]


@pytest.mark.parametrize(
    "text", ["", " ", "\u00a0", "\u200b", "\ufeff\u2060 ", "\u3164", "&shy;&nbsp;", "&#8203;", "\ufe0f", "\U000e0061"]
)
def test_a_text_of_nothing_to_see_is_blank(text: str) -> None:
    assert is_blank(text)
    assert not has_letters_or_digits(text)
    assert document(text, None, None, None) == ""


@pytest.mark.parametrize("text", ["a", "&", "&amp;", "-", " \u200bé", "❤️", "😀"])
def test_a_text_with_a_sign_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    "piece", ["&", "&#", "&#0", "&amp", "&amp;", "&#38;#38;", "&#x0", "\u200b", "ｃ", "\u0336", "❤\ufe0f"]
)
def test_time_is_in_proportion_to_the_text(piece: str) -> None:
    for work in (decode_entities, reveal, is_blank):
        assert grows_too_fast(work, lambda n: piece * n) is None
