"""French or English? By the small words that only one of the two has, which is enough to cut slices."""

from __future__ import annotations

import re

# fmt: off
_FRENCH = frozenset((
    "le", "la", "les", "l", "un", "une", "des", "du", "de", "d", "et", "ou", "où", "à", "au", "aux", "en", "dans",
    "avec", "sans", "pour", "par", "sur", "sous", "ce", "cet", "cette", "ces", "son", "sa", "ses", "votre", "vos",
    "notre", "nos", "qui", "que", "dont", "est", "sont", "été", "très", "plus", "ne", "pas",
))
_ENGLISH = frozenset((
    "the", "an", "and", "of", "with", "without", "for", "from", "by", "to", "in", "into", "at", "as", "is", "are",
    "be", "this", "that", "these", "those", "it", "its", "your", "you", "our", "their", "which", "who", "has", "have",
    "very", "not", "no",
))
# fmt: on
_WORD = re.compile(r"\w+")


def guess_language(text: str) -> str | None:
    """`fr`, `en`, or None where neither language's small words are in the majority."""
    words = _WORD.findall(text.lower())  # accents count: `thé` is no article
    french, english = sum(word in _FRENCH for word in words), sum(word in _ENGLISH for word in words)
    if french == english:
        return None
    return "fr" if french > english else "en"
