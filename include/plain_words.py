"""Texts as words, for rules and comparisons that ignore capitals, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from include.characters import decode_entities, is_invisible

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})
_NO_WORD = re.compile(r"[\W_]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def plain_words(text: str | None) -> str:
    """A text as its words, lower case, without accents and punctuation, a space around each.

    `"Vinaigre de _VIN_ &quot;rosé&quot;"` gives `" vinaigre de vin rose "`; an absent or blank text gives `" "`.
    Invisible characters do not separate words (`cham&shy;pagne`), and styled letters (full-width ones) are plain.
    """
    return spaced(loose_words(text))


def spaced(loose: str) -> str:
    """The words of `loose_words` with one space around each, which is what `plain_words` gives."""
    words = " ".join(loose.split())
    return f" {words} " if words else " "


def loose_words(text: str | None) -> str:
    """The same words with any number of spaces around them, at half the cost."""
    if not text:
        return ""
    folded = _folded(decode_entities(text))
    return folded if folded.isascii() else _NO_WORD.sub(" ", folded)


@lru_cache(maxsize=4_096)
def _folded_character(character: str) -> str:
    """One character without case and accents; a space where it belongs to no word, "" where it is invisible."""
    if is_invisible(character):
        return ""
    # Twice: folding one form of a letter can give another that is not plain yet.
    folded = unicodedata.normalize("NFKD", character).casefold().translate(_LIGATURES)
    decomposed = unicodedata.normalize("NFKD", folded)
    return _NO_WORD.sub(" ", "".join(one for one in decomposed if not _is_mark(one)))


def _is_mark(character: str) -> bool:
    """Whether it is an accent, or a sign around the letter before it."""
    return unicodedata.combining(character) != 0 or unicodedata.category(character) == "Me"


_ASCII = str.maketrans({chr(code): _folded_character(chr(code)) for code in range(128)})
_WESTERN_FOLDED = [_folded_character(chr(code)) for code in range(256)]
_DROPPED = bytes(code for code, folded in enumerate(_WESTERN_FOLDED) if not folded)
_AT_MOST_ONE = bytes(code for code, folded in enumerate(_WESTERN_FOLDED) if folded.isascii() and len(folded) <= 1)
_WESTERN = bytes(ord(folded) if len(folded) == 1 and folded.isascii() else 0 for folded in _WESTERN_FOLDED)
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
    if western is not None and not western.translate(None, _AT_MOST_ONE):
        return western.translate(_WESTERN, _DROPPED).decode("ascii")  # most texts; ten times as fast
    return _NOT_ASCII.sub(lambda found: _folded_character(found[0]), text).translate(_ASCII)
