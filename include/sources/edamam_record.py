"""One food of the Edamam food database as a Product or a Rejection."""

from __future__ import annotations

import re
from typing import Any

from include.characters import is_blank, is_usable_address
from include.schema import Product, Rejection
from include.sources.json_text import shown

_FOOD_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_TEXT_KEYS = ("label", "knownAs", "brand", "foodContentsLabel", "category")


def parse_food(food: Any, source: str, position: str = "") -> Product | Rejection:
    """The food of a hint as a Product, or a Rejection with `wrong_type`, `no_id`, `code_damaged` or `no_name`.

    `knownAs` becomes the description where it says more than the label. Whatever is wrong with `image` counts as no
    photo.
    """
    if not isinstance(food, dict):
        return Rejection(source, None, ("wrong_type",), "the hint holds no food object", {"record": food}, position)
    food_id = food.get("foodId")
    shown_id = food_id[:128] if isinstance(food_id, str) else None
    problem = _problem(food)
    if problem is not None:
        reason, detail = problem
        return Rejection(source, shown_id, (reason,), detail, food, position)
    texts = {key: None if is_blank(food.get(key) or "") else food[key].strip() for key in _TEXT_KEYS}
    known_as, label = texts["knownAs"], texts["label"] or ""
    image = food.get("image")
    is_address = isinstance(image, str) and image.startswith(("https://", "http://")) and is_usable_address(image)
    return Product(
        source=source,
        native_id=str(food_id),
        name=texts["label"],
        brand=texts["brand"],
        description=known_as if known_as and known_as.casefold() != label.casefold() else None,
        ingredients=texts["foodContentsLabel"],
        language="en",
        source_category=texts["category"],
        image_url=image if is_address else None,
    )


def _problem(food: dict[str, Any]) -> tuple[str, str] | None:
    """Reason code and sentence why a food cannot become a product, or None."""
    food_id = food.get("foodId")
    if food_id is None or food_id == "":
        return "no_id", "the food has no foodId"
    for key in ("foodId", *_TEXT_KEYS):
        if food.get(key) is not None and not isinstance(food[key], str):
            return "wrong_type", f"{key} is not text but {shown(food[key])}"
    if not _FOOD_ID.fullmatch(food_id):
        return "code_damaged", f"foodId is {food_id[:64]!r}: an id has letters, digits and underscores only"
    if is_blank(food.get("label") or ""):
        return "no_name", "the food has no label"
    return None
