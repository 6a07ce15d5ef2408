"""A deterministic catalogue that the sandbox draws itself: texts, codes and photos, all invented.

Every day brings champagne products of all grocery kinds, among them those that only sound like the wine
(vinegar, marc, lentils, pink biscuits), others that a champagne filter has to leave out, corrections of
products of earlier days, and a few records as bad as they come. The same arguments give the same bytes.
"""

from __future__ import annotations

import html
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Any

from include.errors import ConfigurationError
from include.sandbox.catalogue import SECONDS_PER_DAY, DatedRecord, Record, days_between, midnight, photo_path
from include.sandbox.demo.bad_records import bad_records
from include.sandbox.demo.hints import edamam_hint
from include.sandbox.demo.photos import draw_photo
from include.sandbox.demo.text import DrawnText, load_vocabulary, seeded
from include.sandbox.photo_faults import cmyk, corrupt, palette, pixel_bomb, rotated, webp
from include.sandbox.response_faults import HTML_PAGE

GROCERIES = {
    "champagne": 26, "sparkling_wine": 5, "still_wine": 5, "spirit": 8, "vinegar": 7, "sauce": 7, "chocolate": 8,
    "biscuit": 6, "dessert": 4, "cheese_charcuterie": 5, "juice": 5, "prepared_dish": 6, "other_food": 6,
}  # fmt: skip
"""Champagne products of a day by label, before the day's own variation."""

_OTHER_PRODUCTS = 30
_CORRECTIONS = 4
_HINTS = 45
_CODE_PREFIX = "388"  # assigned to no country: no such product exists
_WITHOUT_PHOTO = 0.12
_WITHOUT_TAGS = 0.35
_WITHOUT_INGREDIENTS = 0.35
_LEFT_OUT = 0.8
_STRANGE_PHOTOS: tuple[Callable[[bytes], bytes | None], ...] = (
    corrupt,
    rotated,
    cmyk,
    palette,
    webp,
    lambda photo: HTML_PAGE,
    lambda photo: pixel_bomb(),
    lambda photo: None,
)
_STRANGE_SHARE = 0.08
_KEPT_PHOTOS = 1_000
"""Photos that are kept once they are drawn, some 25 MB: drawing one takes longer than serving it a hundred times."""


class DemoCatalogue:
    """Drawn products of a number of days, about 100 champagne products and 30 others on each."""

    def __init__(self, first_day: date, days: int = 3, seed: int = 0) -> None:
        """Prepare without drawing anything; raises ConfigurationError for less than one day."""
        if days < 1:
            raise ConfigurationError(f"a demo catalogue has at least one day, not {days}")
        self.first_day = first_day
        self.last_day = first_day + timedelta(days=days - 1)
        self._seed = seed
        self._pictured: dict[str, DrawnText] = {}
        self._photo = lru_cache(maxsize=_KEPT_PHOTOS)(self._draw_photo)

    def records(self) -> Sequence[DatedRecord]:
        """All records, oldest first."""
        return self._records

    @cached_property
    def _records(self) -> list[DatedRecord]:
        dated: list[DatedRecord] = []
        earlier: list[Record] = []
        for number, day in enumerate(days_between(self.first_day, self.last_day)):
            chance = seeded(self._seed, "day", number)
            start = midnight(day)
            products = [self._product(number, text, position, start) for position, text in self._texts(chance)]
            corrected = [
                self._corrected(record, chance) for record in chance.sample(earlier, _CORRECTIONS if earlier else 0)
            ]
            bad = bad_records(chance, products)
            earlier = products
            rows = [*products, *corrected, *bad]
            chance.shuffle(rows)
            for position, record in enumerate(rows):
                moment = start + (position + 1) * SECONDS_PER_DAY // (len(rows) + 2)
                changed = record | {"last_modified_t": moment}
                if record.get("last_modified_t", 0) is None:
                    changed.pop("last_modified_t")
                dated.append(DatedRecord(moment, changed))
        return dated

    def _texts(self, chance: random.Random) -> Iterator[tuple[int, DrawnText]]:
        vocabulary = load_vocabulary()
        labels = [label for label, count in GROCERIES.items() for _ in range(count + chance.randint(-1, 1))]
        texts = [vocabulary.draw(label, chance, "champagne") for label in labels]
        others = [label for label in GROCERIES if label not in ("champagne", "sparkling_wine", "still_wine")]
        for _ in range(_OTHER_PRODUCTS):
            text = vocabulary.draw(chance.choice(others), chance)
            # Champagne far down the ingredients is a find for the filter, but most of these hold none.
            hidden = "champagne" in text.ingredients.lower() and chance.random() < _LEFT_OUT
            texts.append(replace(text, ingredients="") if hidden else text)
        yield from enumerate(texts)

    def _product(self, day_number: int, text: DrawnText, position: int, start: int) -> Record:
        chance = seeded(self._seed, "product", day_number, position)
        code = _barcode(f"{_CODE_PREFIX}{self._seed % 100:02d}{day_number:03d}{position:04d}")
        record: dict[str, Any] = {
            "code": code,
            "product_name": _as_typed(text.name, chance),
            f"product_name_{text.language}": text.name,
            "brands": text.brand,
            "quantity": text.quantity,
            "lang": text.language,
            "lc": text.language,
            "countries_tags": ["en:france"] if text.language == "fr" else ["en:united-kingdom"],
            "created_t": start - chance.randrange(1, 400) * SECONDS_PER_DAY,
            "rev": chance.randrange(1, 40),
            "states_tags": ["en:to-be-completed", "en:photos-to-be-selected"],
        }
        if text.description:
            record["generic_name"] = _as_typed(text.description, chance)
        if text.tags and chance.random() > _WITHOUT_TAGS:
            record["categories_tags"] = list(text.tags)
            record["categories"] = ", ".join(tag.split(":")[1].replace("-", " ").capitalize() for tag in text.tags)
        if chance.random() > _WITHOUT_INGREDIENTS or "champagne" not in text.name.lower():
            record["ingredients_text"] = _as_typed(text.ingredients, chance)
            record[f"ingredients_text_{text.language}"] = record["ingredients_text"]
        if chance.random() > _WITHOUT_PHOTO:
            self._add_photo(record, text, code, chance)
        return {key: value for key, value in record.items() if value not in ("", [])}

    def _add_photo(self, record: Record, text: DrawnText, code: str, chance: random.Random) -> None:
        """The address of the photo, and the `images` object in the shape of one of three schema versions."""
        image, revision = f"front_{text.language}", chance.randrange(3, 60)
        path = photo_path(code, image, revision)
        self._pictured[path] = text
        record["image_front_url"] = record["image_url"] = path
        version = chance.choice([None, 1001, 1002])
        if version:
            record["schema_version"] = version
        selected = {"imgid": "1", "rev": str(revision)}
        if version == 1002:
            record["images"] = {
                "uploaded": {"1": {"uploader": "demo"}},
                "selected": {"front": {text.language: selected}},
            }
            record["brands_tags"] = [f"xx:{_tag(text.brand)}"]
        else:
            record["images"] = {"1": {"uploader": "demo"}, image: selected}
            record["brands_tags"] = [_tag(text.brand)]

    def _corrected(self, record: Record, chance: random.Random) -> Record:
        """The record after another edit of a contributor: same code, another text."""
        words = chance.choice(["édition de fêtes", "nouvelle recette", "new label", "format familial"])
        return record | {"product_name": f"{record['product_name']}, {words}", "rev": record["rev"] + 1}

    def edamam_hints(self) -> Sequence[Record]:
        """45 hints, three pages, of which a few have a photo."""
        return self._hints

    @cached_property
    def _hints(self) -> list[Record]:
        chance = seeded(self._seed, "hints")
        labels = [*GROCERIES] * 4
        hints = []
        for number, label in enumerate(labels[:_HINTS]):
            text = load_vocabulary().draw(label, chance, "champagne")
            photo = f"/food-img/{number:03x}/{chance.getrandbits(64):016x}.jpg" if number % 5 == 0 else None
            if photo:
                self._pictured[photo] = text
            hints.append(edamam_hint(text, photo, chance))
        return hints

    def photo(self, path: str) -> bytes | None:
        """The photo at a path, drawn when asked for; some are broken or of an unusual kind."""
        _ = self._records, self._hints  # they know what is on which photo
        text = self._pictured.get(path)
        return None if text is None else self._photo(path, text)

    def _draw_photo(self, path: str, text: DrawnText) -> bytes | None:
        chance = seeded(self._seed, "photo", path)
        strange = chance.choice(_STRANGE_PHOTOS) if chance.random() < _STRANGE_SHARE else None
        photo = draw_photo(text, chance)
        return strange(photo) if strange else photo


def _barcode(digits: str) -> str:
    """Twelve digits with their EAN-13 check digit."""
    total = sum(int(digit) * (3 if position % 2 else 1) for position, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _tag(text: str) -> str:
    return "-".join(text.lower().replace("&", " ").replace("'", " ").split())


def _as_typed(text: str, chance: random.Random) -> str:
    """The text as some contributors and importers leave it: capitals, HTML entities, stray spaces."""
    draw = chance.random()
    if draw < 0.08:
        return text.upper()
    if draw < 0.2:
        return html.escape(text, quote=True)
    return f"  {text} " if draw < 0.24 else text
