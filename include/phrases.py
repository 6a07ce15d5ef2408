"""Ways to look for phrases in a text; each takes time in proportion to the text.

A phrase is one or more words, e.g. `demi sec`; `*` at its end stands for the rest of a word (`millesime*`). Texts are
words as `plain_words` makes them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from include.plain_words import plain_words

Test: TypeAlias = Callable[[str], object]
"""What is true of the words that it holds for."""


def found(phrases: Iterable[str]) -> Test | None:
    """The test for one of the phrases anywhere in a text; None for phrases without words."""
    return _search(r" (?:{})(?= )", phrases)


def found_at_start(phrases: Iterable[str]) -> Test | None:
    """The test for a text that begins with one of the phrases; None for phrases without words."""
    return _search(r"^ (?:{})(?= )", phrases)


def found_at_end(phrases: Iterable[str]) -> Test | None:
    """The test for a text that ends with one of the phrases; None for phrases without words."""
    return _search(r" (?:{})(?= $)", phrases)


def made_of(phrases: Iterable[str]) -> Test | None:
    """The test for a text that is the phrases and words that begin with a digit, one after the other, and no others.

    Not a pattern: there are many ways to part a text into phrases, and a pattern may try them all.
    """
    listed = list(phrases)
    return _MadeOf(listed).holds if any(map(_pattern, listed)) else None


def _search(template: str, phrases: Iterable[str]) -> Test | None:
    alternatives = "|".join(filter(None, map(_pattern, sorted(set(phrases)))))
    return re.compile(template.format(alternatives)).search if alternatives else None


def _pattern(phrase: str) -> str:
    words = re.escape(plain_words(phrase).strip())
    return (words or r"\w") + r"\w*" if phrase.endswith("*") else words


class _MadeOf:
    """Finds out whether words are nothing but given phrases, one after the other, and words that begin with a digit.

    It goes through the words once, and keeps the places that phrases can lead to: the time is that of the number of
    words, however many ways there are to part them into phrases.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        """`*` at the end of a phrase stands for the rest of a word."""
        self._whole: set[str] = set()
        beginnings: dict[int, set[str]] = defaultdict(set)
        for phrase in phrases:
            plain = plain_words(phrase).strip()
            if phrase.endswith("*"):
                beginnings[plain.count(" ") + 1].add(plain)
            else:
                self._whole.add(plain)
        self._beginnings = {size: tuple(sorted(words)) for size, words in beginnings.items()}
        self._sizes = sorted({plain.count(" ") + 1 for plain in self._whole} | self._beginnings.keys())
        """Words that phrases have: `[1, 2, 3]`."""

    def holds(self, words: str) -> bool:
        """Whether that is all there is in words as `plain_words` makes them; False for no words."""
        each = words.split()
        reached = [True] + [False] * len(each)
        furthest = 0
        for place, word in enumerate(each):
            if place > furthest:
                return False
            if reached[place]:
                for end in self._ends(each, place, word):
                    reached[end] = True
                    furthest = max(furthest, end)
        return bool(each) and reached[-1]

    def _ends(self, each: list[str], place: int, word: str) -> Iterator[int]:
        """Where the phrases that begin at a place can end."""
        if word[0].isdecimal():
            yield place + 1
        for size in self._sizes:
            if place + size <= len(each):
                phrase = " ".join(each[place : place + size])
                if phrase in self._whole or phrase.startswith(self._beginnings.get(size, ())):
                    yield place + size
