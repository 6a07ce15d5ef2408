"""French or English? By the small words that only one of the two has, which is enough to cut slices."""

from __future__ import annotations

from functools import lru_cache

from include.taxonomy import plain_words


def guess_language(text: str) -> str | None:
    """`fr`, `en`, or None where neither language's small words are in the majority."""
    french, english = _small_words()
    words = plain_words(text).split()
    in_french, in_english = sum(word in french for word in words), sum(word in english for word in words)
    if in_french == in_english:
        return None
    return "fr" if in_french > in_english else "en"


@lru_cache(maxsize=1)
def _small_words() -> tuple[frozenset[str], frozenset[str]]:
    from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
    from spacy.lang.fr.stop_words import STOP_WORDS as FRENCH

    french, english = (frozenset(plain_words(word).strip() for word in words) for words in (FRENCH, ENGLISH))
    return french - english, english - french
