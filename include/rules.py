"""Written rules: the labels that words in a name, a brand or a list of ingredients give to a product.

A rule asks for phrases by conditions, as `include/config/taxonomy.yaml` writes them; the first rule that applies
counts. `RuleBook` asks few rules of a product: an index says which ones could apply, by the words that they ask for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from include.errors import ConfigurationError
from include.phrases import Test, found, found_at_end, found_at_start, made_of
from include.plain_words import loose_words, plain_words, spaced

RULES_VERSION = "1"
"""What rules say is kept under it: raise it when the same rules would give a product another label."""

_CONDITIONS: dict[str, Callable[[Sequence[str]], Test | None]] = {
    "starts": found_at_start,
    "ends": found_at_end,
    "name": found,
    "and_name": found,
    "made_of": made_of,
    "without": found,
    "brand_or_name": found,
    "ingredients": found,
    "ingredients_start": found_at_start,
    "ingredients_made_of": made_of,
    "no_ingredients": found,
}
"""The conditions a rule can have in the file, and how each looks for its phrases."""
_EXCLUSIONS = ("without", "no_ingredients")
_INDEXED = ("starts", "ends", "name", "and_name", "brand_or_name", "ingredients", "ingredients_start")
"""Conditions that need a word of one of their phrases."""
_NOT_INDEXED = ("made_of", "ingredients_made_of")
"""A text that is made of given words may be all numbers."""
_KNOWN_WORDS = 50_000
"""Words whose conditions are remembered, for each place where a word can stand."""
_KNOWN_SETS = 50_000
"""Sets of conditions whose rules are remembered."""
_WORTH_A_BATCH = 100
"""Products from which it pays to look up each different word once."""


@dataclass(frozen=True)
class Rule:
    """One written rule: a label for the products that meet all its conditions.

    Its tests are made when the first product asks for them: all of them take a quarter of a second.
    """

    name: str
    label: str
    phrases: Mapping[str, Sequence[str]] = field(repr=False)
    """Condition → the phrases it asks for."""

    @cached_property
    def _tests(self) -> dict[str, Test]:
        tests = {key: _CONDITIONS[key](phrases) for key, phrases in self.phrases.items()}
        return {key: test for key, test in tests.items() if test}

    def asks_for(self, name: str, ingredients: str, brand: str) -> bool:
        """Whether all that it asks for is found in texts as `plain_words` makes them."""
        return (
            all(self._found(name, "starts", "ends", "name", "and_name", "made_of"))
            and all(self._found(name + brand, "brand_or_name"))
            and all(self._found(ingredients, "ingredients", "ingredients_start", "ingredients_made_of"))
        )

    def excludes(self, name: str, ingredients: str, _brand: str) -> bool:
        """Whether it does not apply to such texts, whatever else they hold."""
        return any((*self._found(name, "without"), *self._found(ingredients, "no_ingredients")))

    def _found(self, words: str, *conditions: str) -> Iterator[object]:
        """What is true if each of those conditions that the rule has is met by words."""
        return (self._tests[key](words) for key in conditions if key in self._tests)


def read_rule(entry: Mapping[str, Any], words: Mapping[str, Any]) -> Rule:
    """A rule from its entry in the file and the file's lists of words; ConfigurationError if it asks for nothing."""
    unknown = set(entry) - set(_CONDITIONS) - {"rule", "label"}
    if unknown or not set(entry) & (set(_CONDITIONS) - set(_EXCLUSIONS)):
        raise ConfigurationError(f"rule {entry['rule']!r} has unknown conditions {sorted(unknown)} or none to look for")
    phrases = {key: _phrases(entry.get(key, ()), words) for key in _CONDITIONS}
    return Rule(entry["rule"], entry["label"], {key: found for key, found in phrases.items() if found})


def _phrases(listed: Iterable[Any], words: Mapping[str, Any]) -> list[str]:
    """The phrases of a list, with lists inside it and `$name` of other lists written out."""
    phrases: list[str] = []
    for item in listed:
        if isinstance(item, list):
            phrases += _phrases(item, words)
        elif str(item).startswith("$"):
            phrases += _phrases(words[item[1:]], words)
        else:
            phrases.append(str(item))
    return phrases


class RuleBook:
    """Rules in their order; immutable.

    A set of rules is a number with a bit for each. For every condition there are two such sets, those for which the
    words of a product could bring it about, and those for which they do; all of them in one number, so that each word
    is looked up once. Patterns are tried only where the words leave a doubt.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        # The sets of what is certain come after those of what is possible.
        self._half = (len(_INDEXED) + len(_EXCLUSIONS)) * len(self.rules)
        # A condition that a rule does not have is met from the start.
        self._given = sum(
            self._bits(condition, number, certain=True)
            for condition in _INDEXED
            for number, rule in enumerate(self.rules)
            if condition not in rule.phrases
        )
        self._to_be_read = sum(
            1 << number for number, rule in enumerate(self.rules) if not rule.phrases.keys().isdisjoint(_NOT_INDEXED)
        )
        self._phrases_with = Counter(
            word
            for rule in self.rules
            for phrases in rule.phrases.values()
            for phrase in phrases
            for word in plain_words(phrase).split()
        )
        self._of_name = self._lookup("name", "and_name", "brand_or_name", "without")
        self._of_first_word = self._lookup("starts", place=0)
        self._of_last_word = self._lookup("ends", place=-1)
        self._of_brand = self._lookup("brand_or_name")
        self._of_ingredients = self._lookup("ingredients", "no_ingredients")
        self._of_first_ingredient = self._lookup("ingredients_start", place=0)
        self._candidates = lru_cache(maxsize=_KNOWN_SETS)(self._candidates_of)

    def first(self, name: str | None, ingredients: str | None, brand: str | None) -> Rule | None:
        """The first rule that applies to a product, or None."""
        return self.first_of_each([name], [ingredients], [brand])[0]

    def first_of_each(
        self, names: Sequence[str | None], ingredients: Sequence[str | None], brands: Sequence[str | None]
    ) -> list[Rule | None]:
        """The first rule that applies to each of many products, or None; half the cost of one after the other."""
        met = [self._given] * len(names)
        loose_names, loose_ingredients = ([loose_words(text) for text in texts] for texts in (names, ingredients))
        for number, text in enumerate(loose_names):
            if words := text.split():
                met[number] |= self._of_first_word(words[0]) | self._of_last_word(words[-1])
                for bits in filter(None, map(self._of_name, words)):
                    met[number] |= bits
        for number, brand in enumerate(brands):
            for bits in filter(None, map(self._of_brand, loose_words(brand).split())):
                met[number] |= bits
        for number, text in enumerate(loose_ingredients):
            if word := text.split(maxsplit=1)[:1]:
                met[number] |= self._of_first_ingredient(word[0])
        self._add_ingredients(met, loose_ingredients)
        return [self._first(*one) for one in zip(met, loose_names, loose_ingredients, brands, strict=True)]

    def _add_ingredients(self, met: list[int], texts: list[str]) -> None:
        """Add to each product's conditions those of its ingredients, most words of which say nothing."""
        if len(texts) < _WORTH_A_BATCH:
            for number, text in enumerate(texts):
                for bits in filter(None, map(self._of_ingredients, text.split())):
                    met[number] |= bits
            return
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        lists = pc.ascii_split_whitespace(pa.array(texts, pa.large_string()))
        words = lists.flatten().dictionary_encode()
        bits_of = [self._of_ingredients(word) if word else 0 for word in words.dictionary.to_pylist()]
        indices = words.indices.to_numpy()
        places = np.flatnonzero(np.array([bits != 0 for bits in bits_of], dtype=bool)[indices])
        numbers = np.searchsorted(lists.offsets.to_numpy(), places, side="right") - 1
        for number, index in zip(numbers.tolist(), indices[places].tolist(), strict=True):
            met[number] |= bits_of[index]

    def _first(self, met: int, name: str, ingredients: str, brand: str | None) -> Rule | None:
        """The first rule, by the conditions that may be met and the words, which are loose, of name and ingredients."""
        texts: tuple[str, str, str] | None = None
        for rule, is_certain, may_be_excluded in self._candidates(met):
            if is_certain and not may_be_excluded:
                return rule
            texts = texts or (spaced(name), spaced(ingredients), plain_words(brand))
            if (is_certain or rule.asks_for(*texts)) and not (may_be_excluded and rule.excludes(*texts)):
                return rule
        return None

    def _candidates_of(self, met: int) -> list[tuple[Rule, bool, bool]]:
        """The rules that may apply, in order; whether all they ask for is there, and whether they may be excluded."""
        candidates = certain = (1 << len(self.rules)) - 1
        for _ in _INDEXED:
            candidates &= met
            certain &= met >> self._half
            met >>= len(self.rules)
        excluded = met | met >> len(self.rules)
        candidates &= ~(excluded >> self._half)
        certain &= ~self._to_be_read
        return [
            (rule, bool(certain >> number & 1), bool(excluded >> number & 1))
            for number, rule in enumerate(self.rules)
            if candidates >> number & 1
        ]

    def _bits(self, condition: str, number: int, *, certain: bool) -> int:
        bit = 1 << ((*_INDEXED, *_EXCLUSIONS).index(condition) * len(self.rules) + number)
        return bit | bit << self._half if certain else bit

    def _lookup(self, *conditions: str, place: int | None = None) -> Callable[[str], int]:
        """From a word to the conditions that phrases with this word could bring about, and those that they do.

        `place` is where in the text the word stands, and so in the phrase: 0 first, -1 last, None anywhere.
        """
        whole: dict[str, int] = defaultdict(int)
        beginnings: dict[str, int] = defaultdict(int)
        for number, rule in enumerate(self.rules):
            for condition in conditions:
                for phrase in rule.phrases.get(condition, ()):
                    word, is_beginning, is_all = self._telling_word(phrase, place)
                    (beginnings if is_beginning else whole)[word] |= self._bits(condition, number, certain=is_all)

        return _KnownWords(whole, beginnings).__getitem__

    def _telling_word(self, phrase: str, place: int | None) -> tuple[str, bool, bool]:
        """A word of a phrase, the rarest where it may stand anywhere; whether it is only its beginning, or all."""
        words = plain_words(phrase).split() or [""]
        if place is None:
            number = min(range(len(words)), key=lambda number: (self._phrases_with[words[number]], -len(words[number])))
        else:
            number = place % len(words)
        return words[number], phrase.endswith("*") and number == len(words) - 1, len(words) == 1


class _KnownWords(dict[str, int]):
    """From a word to the conditions it is telling for; what was looked up is remembered, and all of it at most once.

    A dictionary answers in a third of the time of `lru_cache`, which is what most of the work of rules is.
    """

    def __init__(self, whole: Mapping[str, int], beginnings: Mapping[str, int]) -> None:
        """The sets of conditions by whole words and by beginnings of words."""
        super().__init__()
        self._whole, self._beginnings = whole, beginnings
        self._longest = max(map(len, (*whole, *beginnings)), default=0)

    def __missing__(self, word: str) -> int:
        met = self._whole.get(word, 0)
        for end in range(min(len(word), self._longest) + 1):
            met |= self._beginnings.get(word[:end], 0)
        if len(self) >= _KNOWN_WORDS:
            self.clear()
        if len(word) <= self._longest:  # others are few, and can be as long as a text
            self[word] = met
        return met
