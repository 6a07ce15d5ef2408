"""A drawn product as the Edamam parser describes it."""

from __future__ import annotations

import random
from typing import Any

from include.sandbox.catalogue import Record
from include.sandbox.demo.text import DrawnText

_ONTOLOGY = "http://www.edamam.com/ontologies/edamam.owl#"
_MEASURES = (("serving", "Serving", 30.0), ("gram", "Gram", 1.0), ("ounce", "Ounce", 28.349523125))
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def edamam_hint(text: DrawnText, photo: str | None, chance: random.Random) -> Record:
    """One hint; brand, contents and image are absent where the drawn product has none."""
    packaged = chance.random() < 0.5
    nutrients = {"ENERC_KCAL": (20, 550), "PROCNT": (0, 12), "FAT": (0, 35), "CHOCDF": (0, 60)}
    food: dict[str, Any] = {
        "foodId": "food_" + "".join(chance.choices(_ID_LETTERS, k=27)),
        "uri": f"{_ONTOLOGY}Food_{'FDCBR_' if packaged else '_generic_meal_'}{chance.randrange(10**6)}",
        "label": text.name,
        "knownAs": text.name.upper() if packaged else text.name,
        "nutrients": {name: round(chance.uniform(*limits), 2) for name, limits in nutrients.items()},
        "category": "Packaged foods" if packaged else "Generic meals",
        "categoryLabel": "food" if packaged else "meal",
    }
    if packaged:
        food |= {"brand": text.brand, "servingsPerContainer": float(chance.randrange(1, 13))}
    if text.ingredients:
        food["foodContentsLabel"] = text.ingredients.replace(", ", "; ").replace("_", "")
    if photo:
        food["image"] = photo
    measures = [
        {"uri": f"{_ONTOLOGY}Measure_{key}", "label": label, "weight": weight} for key, label, weight in _MEASURES
    ]
    return {"food": food, "measures": measures}
