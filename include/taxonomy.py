"""The label space, and every way by which a label can be known without a model.

Read from `include/config/taxonomy.yaml`, which a person edits; this module only interprets it. The
same products give the same labels as long as `Taxonomy.identity` stays the same.

    taxonomy = load_taxonomy()
    taxonomy.label_from_tags(("en:beverages", "en:wines", "en:champagnes"))        # "champagne"
    taxonomy.label_from_catalogue("Baby Care >> Baby Bath & Skin")                 # "baby_care"
    taxonomy.label_from_rules("Vinaigre de champagne", None, None)                 # "vinegar"
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from include.errors import ConfigurationError

TAXONOMY_FILE = Path(__file__).resolve().parent / "config" / "taxonomy.yaml"

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "_": " ", "’": " "})
_NO_WORD = re.compile(r"[^\w*$]+")


def plain_words(text: str | None) -> str:
    """A text as its words, lower case, without accents and punctuation, a space around each.

    `"Vinaigre de _VIN_ &quot;rosé&quot;"` gives `" vinaigre de vin rose "`; an absent or blank text gives `" "`.
    """
    if not text:
        return " "
    folded = html.unescape(text).casefold().translate(_LIGATURES)
    decomposed = unicodedata.normalize("NFKD", folded)
    without_accents = "".join(character for character in decomposed if not unicodedata.combining(character))
    words = _NO_WORD.sub(" ", without_accents).strip()
    return f" {words} " if words else " "


def _pattern(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern that finds any of the phrases in the output of `plain_words`; None for no phrases."""
    alternatives = []
    for phrase in sorted({plain_words(phrase).strip() for phrase in phrases}):
        stem = phrase.rstrip("*")
        alternatives.append(re.escape(stem) + (r"\w*" if stem != phrase else ""))
    return re.compile(rf" (?:{'|'.join(alternatives)})(?= )") if alternatives else None


def _holds(pattern: re.Pattern[str] | None, words: str) -> bool:
    return pattern is not None and pattern.search(words) is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """One written rule; all its conditions must hold. Texts are given as `plain_words` makes them."""

    name: str
    label: str
    in_name: re.Pattern[str] | None = None
    also_in_name: re.Pattern[str] | None = None
    starts_name: re.Pattern[str] | None = None
    not_in_name: re.Pattern[str] | None = None
    in_brand_or_name: re.Pattern[str] | None = None
    in_ingredients: re.Pattern[str] | None = None
    not_in_ingredients: re.Pattern[str] | None = None

    def applies(self, name: str, ingredients: str, brand: str) -> bool:
        """Whether every condition of the rule holds."""
        return (
            (self.in_name is None or _holds(self.in_name, name))
            and (self.also_in_name is None or _holds(self.also_in_name, name))
            and (self.starts_name is None or self.starts_name.match(name) is not None)
            and not _holds(self.not_in_name, name)
            and (
                self.in_brand_or_name is None
                or _holds(self.in_brand_or_name, name)
                or _holds(self.in_brand_or_name, brand)
            )
            and (self.in_ingredients is None or _holds(self.in_ingredients, ingredients))
            and not _holds(self.not_in_ingredients, ingredients)
        )


_CONDITIONS = {
    "name": "in_name",
    "and_name": "also_in_name",
    "starts": "starts_name",
    "without": "not_in_name",
    "brand_or_name": "in_brand_or_name",
    "ingredients": "in_ingredients",
    "no_ingredients": "not_in_ingredients",
}


@dataclass(frozen=True)
class Taxonomy:
    """The label list and the four ways to a label; immutable."""

    labels: tuple[str, ...]
    """Label ids in their fixed order, e.g. `("home_furnishing", …, "other_food")`."""
    identity: str
    """SHA-256 (hex) of the file's content: changes exactly when a label could."""
    _names: Mapping[str, str] = field(repr=False)
    _departments: Mapping[str, str] = field(repr=False)
    _tags: Mapping[str, str] = field(repr=False)
    _overriding: tuple[tuple[str, str], ...] = field(repr=False)
    _catalogue: Mapping[str, str] = field(repr=False)
    rules: tuple[Rule, ...] = field(repr=False)
    _feed_tags: frozenset[str] = field(repr=False)
    _feed_words: re.Pattern[str] | None = field(repr=False)

    def department(self, label: str) -> str:
        """The department of a label, e.g. `Fine Grocery`; ConfigurationError for an unknown label."""
        self._require(label)
        return self._departments[label]

    def display_name(self, label: str) -> str:
        """The label as people read it, e.g. `Vinegar or dressing`; ConfigurationError for an unknown label."""
        self._require(label)
        return self._names[label]

    def label_from_tags(self, tags: Sequence[str] | None) -> str | None:
        """The label of a product's category tags (general to specific), or None if no tag is mapped.

        The deepest mapped tag wins, which is the last one of the list; tags written down as overriding
        come before that.
        """
        if not tags:
            return None
        present = set(tags)
        for tag, label in self._overriding:
            if tag in present:
                return label
        for tag in reversed(tags):
            if tag in self._tags:
                return self._tags[tag]
        return None

    def label_from_catalogue(self, source_category: str | None) -> str | None:
        """The label of a catalogue's own category: its words, a label id or a display name; None if unknown."""
        if not source_category:
            return None
        whole = plain_words(source_category)
        first_level = plain_words(source_category.split(">>", 1)[0])
        return self._catalogue.get(whole) or self._catalogue.get(first_level)

    def matching_rule(self, name: str | None, ingredients: str | None, brand: str | None) -> Rule | None:
        """The first written rule that applies to a product, or None."""
        name_words, ingredient_words, brand_words = plain_words(name), plain_words(ingredients), plain_words(brand)
        for rule in self.rules:
            if rule.applies(name_words, ingredient_words, brand_words):
                return rule
        return None

    def label_from_rules(self, name: str | None, ingredients: str | None, brand: str | None) -> str | None:
        """The label that the written rules give to a product, or None: no match is better than a wrong one."""
        rule = self.matching_rule(name, ingredients, brand)
        return rule.label if rule else None

    def is_champagne_product(
        self, name: str | None, ingredients: str | None, categories: Sequence[str] | str | None = ()
    ) -> bool:
        """Whether a product belongs to the champagne feed: the wine, or food made with it.

        `categories` are category tags, or the source's categories as text; a tag of the wine branch,
        or the word champagne in name, ingredients or categories lets the product in.
        """
        listed = (categories,) if isinstance(categories, str) else tuple(categories or ())
        if not self._feed_tags.isdisjoint(listed):
            return True
        return any(_holds(self._feed_words, plain_words(text)) for text in (name, ingredients, " ".join(listed)))

    def _require(self, label: str) -> None:
        if label not in self._names:
            raise ConfigurationError(f"unknown label {label!r}; the taxonomy has: {', '.join(self.labels)}")


def _compile_rule(number: int, entry: Mapping[str, Any], words: Mapping[str, Sequence[str]]) -> Rule:
    title = f"rule {number} ({entry.get('rule', 'without a name')})"
    unknown = set(entry) - set(_CONDITIONS) - {"rule", "label"}
    if unknown or "rule" not in entry or "label" not in entry:
        raise ConfigurationError(f"{TAXONOMY_FILE.name}: {title}: needs rule and label; unknown keys {sorted(unknown)}")
    patterns: dict[str, re.Pattern[str] | None] = {}
    for key, attribute in _CONDITIONS.items():
        phrases: list[str] = []
        for phrase in entry.get(key, ()):
            if phrase.startswith("$") and phrase[1:] not in words:
                raise ConfigurationError(f"{TAXONOMY_FILE.name}: {title}: no word list is named {phrase}")
            phrases += words[phrase[1:]] if phrase.startswith("$") else [phrase]
        patterns[attribute] = _pattern(phrases)
    if not any(patterns[attribute] for attribute in ("in_name", "starts_name", "in_brand_or_name", "in_ingredients")):
        raise ConfigurationError(f"{TAXONOMY_FILE.name}: {title}: would match every product")
    return Rule(name=entry["rule"], label=entry["label"], **patterns)


def parse_taxonomy(content: str) -> Taxonomy:
    """A taxonomy from the text of its YAML file; ConfigurationError names what is wrong in it."""
    try:
        document = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 a safe loader
        labels = {entry["id"]: entry for entry in document["labels"]}
        catalogue = {plain_words(text): label for label, texts in document["catalogues"].items() for text in texts}
        tags = {tag: label for label, listed in document["source_tags"].items() for tag in listed}
        overriding = tuple((entry["tag"], entry["label"]) for entry in document["overriding_tags"])
        rules = tuple(_compile_rule(i, entry, document["words"]) for i, entry in enumerate(document["rules"], start=1))
        feed = document["feed"]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{TAXONOMY_FILE.name} cannot be read: {error!r}") from error
    used = {*catalogue.values(), *tags.values(), *(label for _, label in overriding), *(rule.label for rule in rules)}
    if used - set(labels):
        raise ConfigurationError(f"{TAXONOMY_FILE.name} uses labels it does not define: {sorted(used - set(labels))}")
    for label, entry in labels.items():
        catalogue |= {plain_words(label): label, plain_words(entry["name"]): label}
    return Taxonomy(
        labels=tuple(labels),
        identity=hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest(),
        _names={label: entry["name"] for label, entry in labels.items()},
        _departments={label: entry["department"] for label, entry in labels.items()},
        _tags=tags,
        _overriding=overriding,
        _catalogue=catalogue,
        rules=rules,
        _feed_tags=frozenset(feed["tags"]),
        _feed_words=_pattern(feed["words"]),
    )


@lru_cache(maxsize=1)
def load_taxonomy() -> Taxonomy:
    """The taxonomy of this project, read once per process."""
    return parse_taxonomy(TAXONOMY_FILE.read_text(encoding="utf-8"))
