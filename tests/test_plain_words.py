"""A text as its words: the same as folding the text as a whole, character by character."""

from __future__ import annotations

import html
import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from include.plain_words import plain_words

_MARKS = [chr(code) for code in range(0x3100) if unicodedata.combining(chr(code))]
_PIECES = ["a", "É", "α", "ß", "œ", "ﬁ", "℡", "İ", "’", " ", "_", "&", "amp;", "&eacute;", "7", *_MARKS]


def folded_as_a_whole(text: str) -> str:
    """What `plain_words` says, in the plainest way."""
    ligatures = str.maketrans({"œ": "oe", "æ": "ae"})
    folded = unicodedata.normalize("NFKD", html.unescape(text)).casefold().translate(ligatures)
    bare = "".join(one for one in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(one))
    words = re.sub(r"[\W_]+", " ", bare).strip()
    return f" {words} " if words else " "


def test_accents_capitals_entities_and_punctuation_go() -> None:
    assert plain_words("Vinaigre de _VIN_ &quot;rosé&quot;") == " vinaigre de vin rose "
    assert plain_words("Œuf\u00a0d’Été") == " oeuf d ete "
    assert plain_words(None) == plain_words("") == plain_words(" _ !") == " "


@given(st.text() | st.lists(st.sampled_from(_PIECES)).map("".join))
def test_folding_character_by_character_is_folding_the_text(text: str) -> None:
    assert plain_words(text) == folded_as_a_whole(text)


@given(st.text())
def test_plain_words_is_stable_and_spaced(text: str) -> None:
    words = plain_words(text)
    assert plain_words(words) == words
    assert words.startswith(" ") and words.endswith(" ") and "  " not in words
