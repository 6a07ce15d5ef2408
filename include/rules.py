"""Written rules: the labels that words in a name, a brand or a list of ingredients give to a product.

A rule is a conjunction of conditions on phrases, as `include/config/taxonomy.yaml` writes them; the first rule that
applies to a product gives its label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from include.errors import ConfigurationError
from include.phrases import PhraseFinder, PhraseSequence
from include.plain_words import plain_words

RULES_VERSION = "1"
"""Part of the version of stored text features: raise it when the same rules would give other labels."""

_OF_NAME = ("starts", "ends", "name", "and_name", "brand_or_name", "without")
_OF_BRAND = ("brand_or_name",)
_OF_INGREDIENTS = ("ingredients", "ingredients_start", "no_ingredients")
_SEQUENCES = ("made_of", "ingredients_made_of")
"""Conditions that no single phrase meets: the whole text must consist of the phrases."""
_CONDITIONS = tuple(dict.fromkeys((*_OF_NAME, *_OF_BRAND, *_OF_INGREDIENTS, *_SEQUENCES)))
"""The conditions that a rule can have in the file."""
_AT_START = ("starts", "ingredients_start")
_AT_END = ("ends",)
_EXCLUSIONS = ("without", "no_ingredients")
"""Conditions that must not be met."""
_REMEMBERED = 50_000
"""Sets of met conditions whose candidates are remembered; real products have some hundreds."""


@dataclass(frozen=True)
class Rule:
    """One written rule: a label for the products that meet all its conditions."""

    name: str
    label: str
    phrases: Mapping[str, Sequence[str]] = field(repr=False)
    """Condition → its phrases, one of which must be found."""


def read_rule(entry: Mapping[str, Any], words: Mapping[str, Any]) -> Rule:
    """A rule from its entry in the file and the file's lists of words; ConfigurationError if it has no condition."""
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


class _Conditions(NamedTuple):
    """The conditions of one rule, those on single phrases as bits."""

    rule: Rule
    required: int
    excluding: int
    sequence_of_name: PhraseSequence | None
    sequence_of_ingredients: PhraseSequence | None


class RuleBook:
    """Rules in their order; immutable.

    Each condition of each rule is one bit. One pass over each text of a product gives the bits of all conditions that
    it meets, whatever the number of rules.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._of_name = self._finder(_OF_NAME)
        self._of_brand = self._finder(_OF_BRAND)
        self._of_ingredients = self._finder(_OF_INGREDIENTS)
        self._conditions = [self._conditions_of(number, rule) for number, rule in enumerate(self.rules)]
        self._candidates = lru_cache(maxsize=_REMEMBERED)(self._find_candidates)

    def first(self, name: str | None, ingredients: str | None, brand: str | None) -> Rule | None:
        """The first rule that applies to a product, or None."""
        name, ingredients, brand = plain_words(name), plain_words(ingredients), plain_words(brand)
        met = self._of_name.find(name) | self._of_brand.find(brand) | self._of_ingredients.find(ingredients)
        for rule, _, _, sequence_of_name, sequence_of_ingredients in self._candidates(met):
            if (sequence_of_name is None or sequence_of_name.matches(name)) and (
                sequence_of_ingredients is None or sequence_of_ingredients.matches(ingredients)
            ):
                return rule
        return None

    def _find_candidates(self, met: int) -> list[_Conditions]:
        """The rules, in order, whose conditions on single phrases are all met."""
        return [one for one in self._conditions if met & one.required == one.required and not met & one.excluding]

    def _finder(self, conditions: Sequence[str]) -> PhraseFinder:
        """Finds phrases in one kind of text, with the bits of the conditions that each of them meets."""
        anywhere, at_start, at_end = (defaultdict[str, int](int) for _ in range(3))
        for number, rule in enumerate(self.rules):
            for condition in conditions:
                sets = at_start if condition in _AT_START else at_end if condition in _AT_END else anywhere
                for phrase in rule.phrases.get(condition, ()):
                    sets[phrase] |= _bit(number, condition)
        return PhraseFinder(anywhere, at_start, at_end)

    def _conditions_of(self, number: int, rule: Rule) -> _Conditions:
        on_phrases = [condition for condition in rule.phrases if condition not in _SEQUENCES]
        return _Conditions(
            rule,
            sum(_bit(number, condition) for condition in on_phrases if condition not in _EXCLUSIONS),
            sum(_bit(number, condition) for condition in on_phrases if condition in _EXCLUSIONS),
            *(PhraseSequence(rule.phrases[key]) if key in rule.phrases else None for key in _SEQUENCES),
        )


def _bit(number: int, condition: str) -> int:
    """The bit of a condition of the rule with that number."""
    return 1 << (number * len(_CONDITIONS) + _CONDITIONS.index(condition))
