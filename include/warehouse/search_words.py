"""Texts as the search sees them: the same words for a product and for what a person types."""

from __future__ import annotations

from include.plain_words import plain_words

WORD_CHARACTERS = 60
PRODUCT_CHARACTERS = 50_000
QUERY_WORDS = 12
SHORTEST_PREFIX = 2
"""A single letter begins too many words: it stands for itself."""
SAMPLES = (1_024, 256, 64, 16)
"""One product in 1024 has the mark `%1024` among its words, which no text has; and so on: they are samples."""


def product_words(*texts: str | None) -> str:
    """The different words of a product's texts, sorted, a space between them.

    `product_words("Crémant d'Alsace", "Maison d'Or")` gives `"alsace cremant d maison or"`.
    """
    joined = " ".join(text for text in texts if text)[:PRODUCT_CHARACTERS]
    return " ".join(sorted(_words(joined)))


def words_query(text: str) -> str:
    """What a person typed as a `tsquery`: all of the words, the last one also as the beginning of a word.

    `words_query("Crémant d'als")` gives `"'cremant' & 'd' & 'als':*"`. A space after the last word ends it. Empty if
    there is no word; words after the twelfth are left out.
    """
    words = plain_words(text).split()
    if not words:
        return ""
    whole, last = dict.fromkeys(word[:WORD_CHARACTERS] for word in words[:QUERY_WORDS]), words[-1]
    is_begun = len(words) <= QUERY_WORDS and len(last) >= SHORTEST_PREFIX and not text[-1].isspace()
    terms = {word: f"'{word}'" for word in whole}
    if is_begun:
        terms[last[:WORD_CHARACTERS]] += ":*"
    return " & ".join(terms.values())


def _words(text: str) -> set[str]:
    return {word[:WORD_CHARACTERS] for word in plain_words(text).split()}
