"""Ways to look for phrases in a text; each takes time in proportion to the text.

A phrase is one or more words, e.g. `demi sec`; `*` at its end matches the rest of a word (`millesime*`), and `*`
alone for any word. Texts are words as `plain_words` makes them; phrases are written as a person writes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from ahocorasick import Automaton

from include.plain_words import plain_words


class PhraseFinder:
    """Finds which of many phrases a text contains, in one pass over it (Aho and Corasick, 1975).

    Every phrase carries a set as the bits of a number. The result for a text is the union of the sets of the phrases
    found in it:

        finder = PhraseFinder({"brut": 0b001, "extra brut": 0b010}, at_start={"champ*": 0b100})
        finder.find(" champagne extra brut ")   # 0b111
    """

    def __init__(
        self,
        anywhere: Mapping[str, int],
        at_start: Mapping[str, int] | None = None,
        at_end: Mapping[str, int] | None = None,
    ) -> None:
        """Phrases that may occur anywhere, that the text must begin with, and that it must end with; with their sets.

        A phrase without a word, such as `!`, is never found.
        """
        sets: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for place, phrases in enumerate((anywhere, at_start or {}, at_end or {})):
            for phrase, bits in phrases.items():
                words = plain_words(phrase)
                if phrase.endswith("*"):
                    sets[words.rstrip() or " "][place] |= bits
                elif words != " ":
                    sets[words][place] |= bits
        self._automaton = Automaton()
        for written, (bits, bits_at_start, bits_at_end) in sets.items():
            self._automaton.add_word(written, (len(written) - 1, bits, bits_at_start, bits_at_end))
        self._automaton.make_automaton()
        self._is_empty = not sets

    def find(self, words: str) -> int:
        """The union of the sets of the phrases that `words`, as `plain_words` makes them, contain; 0 for none."""
        if words == " " or self._is_empty:
            return 0
        found = 0
        last = len(words) - 1
        for end, (end_at_start, bits, bits_at_start, bits_at_end) in self._automaton.iter(words):
            found |= bits
            if bits_at_start and end == end_at_start:
                found |= bits_at_start
            if bits_at_end and words.find(" ", end) == last:
                found |= bits_at_end
        return found


class PhraseSequence:
    """Recognises texts that consist of given phrases and of words that begin with a digit, and of nothing else.

    Not a regular expression: there are many ways to divide a text into phrases, and a pattern may try them all. This
    goes through the words once and keeps the positions that phrases can lead to.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
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
        """Numbers of words that phrases have, e.g. `[1, 2, 3]`."""

    def matches(self, words: str) -> bool:
        """Whether `words`, as `plain_words` makes them, are such a sequence; False for no words."""
        each = words.split()
        reached = [True] + [False] * len(each)
        furthest = 0
        for position, word in enumerate(each):
            if position > furthest:
                return False
            if reached[position]:
                for end in self._ends(each, position, word):
                    reached[end] = True
                    furthest = max(furthest, end)
        return bool(each) and reached[-1]

    def _ends(self, each: list[str], position: int, word: str) -> Iterator[int]:
        """Where the phrases that begin at a position can end."""
        if word[0].isdecimal():
            yield position + 1
        for size in self._sizes:
            if position + size <= len(each):
                phrase = " ".join(each[position : position + size])
                if phrase in self._whole or phrase.startswith(self._beginnings.get(size, ())):
                    yield position + size
