"""The label space, and every way to a label without a model.

Read from `include/config/taxonomy.yaml`, which a person edits; this module only interprets it. The
same products give the same labels as long as `Taxonomy.identity` stays the same.

    taxonomy = load_taxonomy()
    taxonomy.label_from_tags(("en:beverages", "en:wines", "en:champagnes"))        # "champagne"
    taxonomy.label_from_catalogue("Baby Care >> Baby Bath & Skin")                 # "baby_care"
    taxonomy.label_from_rules("Vinaigre de champagne", None, None)                 # "vinegar"
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml

from include.errors import ConfigurationError
from include.plain_words import loose_words, plain_words
from include.rules import Rule, RuleBook, read_rule

TAXONOMY_FILE = Path(__file__).resolve().parent / "config" / "taxonomy.yaml"


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
    _fallback: Mapping[str, str] = field(repr=False)
    _catalogue: Mapping[str, str] = field(repr=False)
    rules: RuleBook = field(repr=False)
    _feed_tags: frozenset[str] = field(repr=False)
    _feed_words: tuple[str, ...] = field(repr=False)

    def department(self, label: str) -> str:
        """The department of a label, e.g. `Fine Grocery`; ConfigurationError for an unknown label."""
        return self._departments[self.require_label(label)]

    def display_name(self, label: str) -> str:
        """The label as people read it, e.g. `Vinegar or dressing`; ConfigurationError for an unknown label."""
        return self._names[self.require_label(label)]

    def label_from_tags(self, tags: Sequence[str] | None) -> str | None:
        """The label of a product's category tags (general to specific), or None if no tag is mapped.

        The deepest mapped tag wins, which is the last one of the list; before that come the tags written
        down as overriding, after it the broad branches written down as fallback.
        """
        if tags is None or len(tags) == 0:
            return None
        present = set(tags)
        for tag, label in self._overriding:
            if tag in present:
                return label
        for mapped in (self._tags, self._fallback):
            for tag in reversed(tags):
                if tag in mapped:
                    return mapped[tag]
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
        return self.rules.first(name, ingredients, brand)

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
        texts = loose_words("".join(f"{text}\n" for text in (name, ingredients, *listed) if text))
        return any(map(texts.__contains__, self._feed_words))

    def require_label(self, label: str) -> str:
        """The label itself; ConfigurationError if the taxonomy does not have it."""
        if label not in self._names:
            raise ConfigurationError(f"unknown label {label!r}; the taxonomy has: {', '.join(self.labels)}")
        return label


def parse_taxonomy(content: str) -> Taxonomy:
    """A taxonomy from the text of its YAML file; ConfigurationError names what is wrong in it."""
    try:
        document = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 a safe loader
        labels = {entry["id"]: entry for entry in document["labels"]}
        catalogue = {plain_words(text): label for label, texts in document["catalogues"].items() for text in texts}
        tags = {tag: label for label, listed in document["source_tags"].items() for tag in listed}
        fallback = {tag: label for label, listed in document["fallback_tags"].items() for tag in listed}
        overriding = tuple((entry["tag"], entry["label"]) for entry in document["overriding_tags"])
        rules = RuleBook([read_rule(entry, document["words"]) for entry in document["rules"]])
        feed = document["feed"]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{TAXONOMY_FILE.name} cannot be read: {error!r}") from error
    used = {*catalogue.values(), *tags.values(), *fallback.values(), *dict(overriding).values()}
    used |= {rule.label for rule in rules.rules}
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
        _fallback=fallback,
        _catalogue=catalogue,
        rules=rules,
        _feed_tags=frozenset(feed["tags"]),
        _feed_words=_shortest(feed["words"]),
    )


def _shortest(words: Sequence[str]) -> tuple[str, ...]:
    """The words that have none of the others in them: what holds `champagnes` holds `champagne`."""
    plain = {plain_words(word).strip() for word in words}
    if any(len(word.split()) != 1 for word in plain):
        raise ConfigurationError(f"{TAXONOMY_FILE.name}: each of the feed's words must be one word: {sorted(words)}")
    return tuple(sorted(word for word in plain if not any(other in word for other in plain - {word})))


@lru_cache(maxsize=1)
def load_taxonomy() -> Taxonomy:
    """The taxonomy of this project, read once per process."""
    return parse_taxonomy(TAXONOMY_FILE.read_text(encoding="utf-8"))
