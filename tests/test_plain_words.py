"""A text as its words: the same as folding the text as a whole, character by character."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.characters import decode_entities, is_invisible
from include.plain_words import plain_words
from tests.hidden_spellings import HIDDEN_SPELLINGS

_MARKS = [chr(code) for code in range(0x3100) if unicodedata.combining(chr(code))]
_PIECES = ["a", "É", "α", "ß", "œ", "ﬁ", "℡", "İ", "’", " ", "_", "&", "amp;", "&eacute;", "7", *_MARKS]
_HIDING = ["\u00ad", "\u200b", "\ufe0f", "\x00", "ｃ", "&shy;", "\u20dd"]


def folded_as_a_whole(text: str) -> str:
    """What `plain_words` says, in the plainest way."""
    ligatures = str.maketrans({"œ": "oe", "æ": "ae"})
    seen = "".join(one for one in decode_entities(text) if not is_invisible(one))
    folded = unicodedata.normalize("NFKD", seen).casefold().translate(ligatures)
    decomposed = unicodedata.normalize("NFKD", folded)
    bare = "".join(one for one in decomposed if not unicodedata.combining(one) and unicodedata.category(one) != "Me")
    words = re.sub(r"[\W_]+", " ", bare).strip()
    return f" {words} " if words else " "


def test_accents_capitals_entities_and_punctuation_go() -> None:
    assert plain_words("Vinaigre de _VIN_ &quot;rosé&quot;") == " vinaigre de vin rose "
    assert plain_words("Œuf\u00a0d’Été") == " oeuf d ete "
    assert plain_words(None) == plain_words("") == plain_words(" _ !") == " "


@pytest.mark.parametrize("spelling", HIDDEN_SPELLINGS)
def test_a_word_is_the_same_however_it_is_hidden(spelling: str) -> None:
    assert plain_words(f"Truffes au {spelling} brut") == " truffes au champagne brut "


def test_entities_of_any_number_are_words_like_others() -> None:
    assert plain_words("brut &#" + "9" * 4_400 + "; rosé") == " brut rose "
    assert plain_words("&#" + "0" * 4_400 + "66;rut") == " brut "


@given(st.text() | st.lists(st.sampled_from(_PIECES + _HIDING)).map("".join))
def test_folding_character_by_character_is_folding_the_text(text: str) -> None:
    assert plain_words(text) == folded_as_a_whole(text)


@given(st.text())
def test_plain_words_is_stable_and_spaced(text: str) -> None:
    words = plain_words(text)
    assert plain_words(words) == words
    assert words.startswith(" ") and words.endswith(" ") and "  " not in words
