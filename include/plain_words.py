"""Texts reduced to their words, so that rules and comparisons see no capitals, accents or punctuation."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_NO_WORD = re.compile(r"[\W_]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def plain_words(text: str | None) -> str:
    """A text as its words, lower case, without accents and punctuation, a space around each.

    `"Vinaigre de _VIN_ &quot;rosé&quot;"` gives `" vinaigre de vin rose "`; an absent or blank text gives `" "`.
    """
    if not text:
        return " "
    if "&" in text:
        text = html.unescape(text)
    words = " ".join(_folded(text).split())
    if not words.isascii():
        words = _NO_WORD.sub(" ", words).strip()
    return f" {words} " if words else " "


@lru_cache(maxsize=4_096)
def _folded_character(character: str) -> str:
    """One character without case and accents, a space where it belongs to no word."""
    # Twice: folding one form of a letter can give another that is not plain yet.
    folded = unicodedata.normalize("NFKD", character).casefold().translate(_LIGATURES)
    decomposed = unicodedata.normalize("NFKD", folded)
    return _NO_WORD.sub(" ", "".join(one for one in decomposed if not unicodedata.combining(one)))


_ASCII = str.maketrans({chr(code): _folded_character(chr(code)) for code in range(128)})
_WESTERN_FOLDED = [_folded_character(chr(code)) for code in range(256)]
_ONE_TO_ONE = bytes(code for code, folded in enumerate(_WESTERN_FOLDED) if folded.isascii() and len(folded) == 1)
_WESTERN = bytes(ord(folded) if code in _ONE_TO_ONE else 0 for code, folded in enumerate(_WESTERN_FOLDED))
"""The western characters that fold to one of ASCII, as most accented ones do; the others are not looked up."""


def _folded(text: str) -> str:
    """All characters of a text folded.

    One by one is the same as the text as a whole: what decides between neighbours is only the order of accents, and
    those go.
    """
    try:
        western = text.encode("latin-1")
    except UnicodeEncodeError:
        western = None
    if western is not None and not western.translate(None, _ONE_TO_ONE):
        return western.translate(_WESTERN).decode("ascii")  # most texts; ten times as fast
    return _NOT_ASCII.sub(lambda found: _folded_character(found[0]), text).translate(_ASCII)
