"""Texts reduced to their words, so that rules and comparisons see no capitals, accents or punctuation."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_NO_WORD = re.compile(r"[\W_]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ASCII = str.maketrans({chr(code): chr(code).lower() if chr(code).isalnum() else " " for code in range(128)})
"""Letters to lower case, and whatever is neither letter nor digit to a space."""


def plain_words(text: str | None) -> str:
    """A text as its words, lower case, without accents and punctuation, a space around each.

    `"Vinaigre de _VIN_ &quot;rosé&quot;"` gives `" vinaigre de vin rose "`; an absent or blank text gives `" "`.
    """
    if not text:
        return " "
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _NOT_ASCII.sub(lambda found: _folded(found[0]), text)
    words = " ".join(text.translate(_ASCII).split())
    if not words.isascii():
        words = _NO_WORD.sub(" ", words).strip()
    return f" {words} " if words else " "


@lru_cache(maxsize=4_096)
def _folded(character: str) -> str:
    """One character without case and accents, a space where it belongs to no word.

    Character by character is the same as the text as a whole: what decides between neighbours is only the order of
    accents, and those go.
    """
    # Twice: folding one form of a letter can give another that is not plain yet.
    folded = unicodedata.normalize("NFKD", character).casefold().translate(_LIGATURES)
    decomposed = unicodedata.normalize("NFKD", folded)
    return _NO_WORD.sub(" ", "".join(one for one in decomposed if not unicodedata.combining(one)))
