"""Texts without the words that name their category: what is left must be understood, not read off.

Masked in every text are the words of the department names and of the category tree, as far as at least two
products share the branch (the last level of some shops is the product's own name). Which words are masked does
not depend on a text's own category, so that a gap betrays nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from include.plain_words import plain_words

LEVEL_SEPARATOR = ">>"
_LEAST_LETTERS = 3
_WORD = re.compile(r"\w+")


def category_words(categories: Iterable[str | None], names: Iterable[str] = ()) -> frozenset[str]:
    """Stems of the words of category paths such as `Baby Care >> Baby Bath & Skin`, and of further names."""
    branches: Counter[str] = Counter()
    words = {word for name in names for word in plain_words(name).split()}
    for path in categories:
        levels = [plain_words(level) for level in (path or "").split(LEVEL_SEPARATOR)]
        words.update(levels[0].split())
        branches.update(set(levels[1:]))
    words.update(word for branch, count in branches.items() if count > 1 for word in branch.split())
    return frozenset(stem(word) for word in words if len(word) >= _LEAST_LETTERS)


def without_words(documents: Sequence[str], stems: frozenset[str]) -> list[str]:
    """The documents without each word whose stem is given; other words, line breaks and signs stay."""
    return [_WORD.sub(lambda word: "" if stem(word.group()) in stems else word.group(), text) for text in documents]


def stem(word: str) -> str:
    """A word without case, accents and English plural: `Watches` and `watch` are one."""
    plain = plain_words(word).strip()
    for ending in ("ches", "shes", "sses", "xes"):
        if plain.endswith(ending):
            return plain[:-2]
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") else plain
