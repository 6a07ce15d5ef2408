"""Texts of drawn products: invented houses and brands, French and English, combined from a vocabulary.

The vocabulary is in `groceries.yaml` and `departments.yaml`. Kinds share words on purpose,
some names are too terse to be informative, and now and then a description belongs to another kind: as in the
field, not every product can be labelled from its text.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).resolve().parent
_SLOT = re.compile(r"\{(\w+)(?:\*(\d))?\}")
_SAME_WITHIN_A_PRODUCT = (
    "house",
    "surname",
    "pantry_brand",
    "english_brand",
    "home_brand",
    "body_brand",
    "gadget_brand",
)
_TERSE_SHARE = 0.1
_WITHOUT_DESCRIPTION = 0.15
_FOREIGN_DESCRIPTION = 0.05
_FRENCH_SHARE = 0.65


def seeded(*parts: object) -> random.Random:
    """Chance that always falls the same way for the same parts."""
    return random.Random("|".join(str(part) for part in parts))  # noqa: S311 (drawing, not security)


@dataclass(frozen=True, slots=True)
class DrawnText:
    """What is known of a drawn product; empty text and lists are what its contributor left out."""

    label: str
    """Label id of the taxonomy."""
    language: str
    name: str
    brand: str
    description: str
    ingredients: str
    quantity: str
    tags: tuple[str, ...]
    """Open Food Facts category tags, general to specific."""
    shape: str
    """What its photo shows, the name of a painter in `demo_shapes_*.py`."""
    colour: str
    """Main colour of the photo, e.g. `#1f3d2b`."""


class Vocabulary:
    """The words and templates of every label."""

    def __init__(self, content: dict[str, Any]) -> None:
        """`content` has `slots` and `labels`, as the YAML files do."""
        self._slots: dict[str, list[str]] = content["slots"]
        self._labels: dict[str, dict[str, Any]] = content["labels"]

    @property
    def labels(self) -> tuple[str, ...]:
        """Ids of the labels that can be drawn."""
        return tuple(self._labels)

    def is_fed(self, label: str) -> bool:
        """Whether the champagne feed brings products of a label."""
        return "champagne" in self._labels[label]["en"]

    def draw(self, label: str, chance: random.Random, names: str = "names") -> DrawnText:
        """One product of a label. `names` is `names`, or `champagne` for a product of the champagne feed."""
        kind = self._labels[label]
        language = "fr" if "fr" in kind and chance.random() < _FRENCH_SHARE else "en"
        words = kind[language]
        known: dict[str, str] = {}
        name_list = words["terse"] if names == "names" and chance.random() < _TERSE_SHARE else words[names]
        name = self._fill(chance.choice(name_list), chance, known)
        return DrawnText(
            label=label,
            language=language,
            name=name[0].upper() + name[1:],
            brand=self._fill(chance.choice(words["brands"]), chance, known),
            description=self._description(label, language, chance, known),
            ingredients=self._fill(chance.choice(words.get("ingredients", [""])), chance, known),
            quantity=chance.choice(kind.get("quantities", [""])),
            tags=tuple(chance.choice(kind.get("tags", [[]]))),
            shape=chance.choice(kind["shapes"]),
            colour=chance.choice(kind["colours"]),
        )

    def _description(self, label: str, language: str, chance: random.Random, known: dict[str, str]) -> str:
        draw = chance.random()
        if draw < _WITHOUT_DESCRIPTION:
            return ""
        if draw < _WITHOUT_DESCRIPTION + _FOREIGN_DESCRIPTION:
            label = chance.choice([other for other in self._labels if language in self._labels[other]])
        return self._fill(chance.choice(self._labels[label][language]["descriptions"]), chance, known)

    def _fill(self, template: str, chance: random.Random, known: dict[str, str]) -> str:
        def replacement(match: re.Match[str]) -> str:
            slot, count = match.group(1), int(match.group(2) or 1)
            if slot in known:
                return known[slot]
            chosen = [self._fill(entry, chance, known) for entry in chance.sample(self._slots[slot], count)]
            if slot in _SAME_WITHIN_A_PRODUCT:
                known[slot] = chosen[0]
            return ", ".join(chosen)

        return _SLOT.sub(replacement, template)


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """The vocabulary of all 20 labels: groceries and the other departments."""
    files = [_FOLDER / "groceries.yaml", _FOLDER / "departments.yaml"]
    parts = [yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER) for file in files]  # noqa: S506
    return Vocabulary({key: {name: value for part in parts for name, value in part[key].items()} for key in parts[0]})


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
