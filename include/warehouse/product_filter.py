"""What a person asked of the labelled products, as it stands in a URL: filter, order, place and columns.

Nothing in a URL is an error here. What makes no sense is left out, and said.

    asked, ignored = ProductQuery.parse([("label", "champagne"), ("day_from", "soon"), ("sort", "newest")])
    asked.filter.values["label"]  # ("champagne",)
    ignored                       # ["day_from: 'soon' is not a day such as 2026-01-05"]
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import get_args

from include.security.quoting import printable, shortened
from include.warehouse.product_cursor import Cursor, Sort
from include.warehouse.search_tables import FACETS

FACET_NAMES = (*FACETS, "flags")
"""What products are counted by."""
TEXT_CHARACTERS = 200
MOST_VALUES = 50
"""Values of one facet in a URL."""
MOST_PAIRS = 500
COLUMNS = (
    "product_id", "name", "brand", "label", "department", "confidence", "decision", "decided_by", "flags", "language",
    "source", "last_seen_day", "first_seen_day", "modality", "model_version", "photo_status", "photo_sha256", "url",
    "quantity", "ingredients", "description", "predicted_label", "predicted_confidence", "top_labels",
)  # fmt: skip
"""Columns that a person can choose."""
DEFAULT_COLUMNS = ("name", "brand", "label", "confidence", "decision", "flags", "source", "last_seen_day")


@dataclass(frozen=True)
class ProductFilter:
    """Which products: all conditions hold; of the values of one facet any. The empty filter is all products."""

    text: str = ""
    """Words of name, brand and ingredients; the last one may be the beginning of a word."""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Facet to the values wanted, e.g. `{"label": ("champagne", "vinegar"), "decision": ("review",)}`."""
    day_from: date | None = None
    """First last seen day, inclusive."""
    day_to: date | None = None
    """Last last seen day, inclusive."""
    confidence_from: float | None = None
    """Lowest confidence, inclusive."""
    confidence_to: float | None = None
    """Highest confidence, inclusive."""

    def __post_init__(self) -> None:
        values = {name: tuple(dict.fromkeys(self.values[name])) for name in FACET_NAMES if self.values.get(name)}
        object.__setattr__(self, "values", MappingProxyType(values))

    def pairs(self) -> list[tuple[str, str]]:
        """The filter as pairs of a URL's query; `ProductQuery.parse` reads the same filter from them."""
        pairs = [("text", self.text)] if self.text else []
        pairs += [(name, value) for name, values in self.values.items() for value in values]
        for name in ("day_from", "day_to", "confidence_from", "confidence_to"):
            value = getattr(self, name)
            if value is not None:
                pairs.append((name, str(value)))
        return pairs


@dataclass(frozen=True)
class ProductQuery:
    """A page of products."""

    filter: ProductFilter = ProductFilter()
    sort: Sort = "newest"
    cursor: Cursor | None = None
    """The place before or after which the page lies; None is the first page."""
    columns: tuple[str, ...] = DEFAULT_COLUMNS

    @classmethod
    def parse(cls, pairs: Iterable[tuple[str, str]]) -> tuple[ProductQuery, list[str]]:
        """What is asked by the pairs of a URL's query, and a sentence for each of them that was left out.

        Names: `text`, `day_from`, `day_to`, `confidence_from`, `confidence_to`, each facet (repeated for several
        values), `sort`, `at` (a cursor), `column` (repeated). Other names are not looked at.
        """
        return _Parsing().run(pairs)

    def pairs(self) -> list[tuple[str, str]]:
        """The query as pairs of a URL's query, what is as by default left out."""
        pairs = self.filter.pairs()
        if self.sort != "newest":
            pairs.append(("sort", self.sort))
        if self.columns != DEFAULT_COLUMNS:
            pairs += [("column", name) for name in self.columns]
        if self.cursor is not None:
            pairs.append(("at", self.cursor.encode()))
        return pairs


class _Parsing:
    def __init__(self) -> None:
        self.ignored: list[str] = []
        self.once: dict[str, str] = {}
        self.values: dict[str, list[str]] = {}
        self.columns: list[str] = []

    def run(self, pairs: Iterable[tuple[str, str]]) -> tuple[ProductQuery, list[str]]:
        for number, (name, value) in enumerate(pairs):
            if number == MOST_PAIRS:
                self.ignored.append(f"all that follows the first {MOST_PAIRS} conditions")
                break
            if value.strip():
                self._take(name, value)
        first, last = self._day("day_from"), self._day("day_to")
        low, high = self._share("confidence_from"), self._share("confidence_to")
        wanted = ProductFilter(
            text=self.once.get("text", ""),
            values={name: tuple(values) for name, values in self.values.items()},
            day_from=first,
            day_to=last,
            confidence_from=low,
            confidence_to=high,
        )
        sort = self._sort()
        columns = tuple(dict.fromkeys(self.columns)) or DEFAULT_COLUMNS
        return ProductQuery(wanted, sort, self._cursor(sort), columns), self.ignored

    def _take(self, name: str, value: str) -> None:
        if name not in _NAMES:
            return
        if "\0" in value or (not value.isascii() and not _is_utf8(value)):
            self._ignore(name, value, "holds characters that no text of a product has")
        elif len(value) > (4 * TEXT_CHARACTERS if name == "at" else TEXT_CHARACTERS):
            self._ignore(name, value, f"is longer than {TEXT_CHARACTERS} characters")
        elif name == "column":
            if value in COLUMNS:
                self.columns.append(value)
            else:
                self._ignore(name, value, "is not a column of products")
        elif name not in FACET_NAMES:
            self.once[name] = value
        elif len(self.values.setdefault(name, [])) < MOST_VALUES:
            self.values[name].append(value)
        else:
            self._ignore(name, value, f"is more than {MOST_VALUES} values")

    def _ignore(self, name: str, value: str, why: str) -> None:
        self.ignored.append(f"{name}: {shortened(printable(value))!r} {why}")

    def _day(self, name: str) -> date | None:
        value = self.once.get(name)
        try:
            return date.fromisoformat(value.strip()) if value is not None else None
        except ValueError:
            self._ignore(name, value or "", "is not a day such as 2026-01-05")
            return None

    def _share(self, name: str) -> float | None:
        value = self.once.get(name)
        if value is None:
            return None
        try:
            number = float(value.strip().replace(",", "."))
        except ValueError:
            number = math.nan
        if 0 <= number <= 1:
            return number
        self._ignore(name, value, "is not a number from 0 to 1")
        return None

    def _sort(self) -> Sort:
        value = self.once.get("sort")
        for known in get_args(Sort):
            if value == known:
                sort: Sort = known
                return sort
        if value is not None:
            self._ignore("sort", value, f"is not an order: {', '.join(get_args(Sort))}")
        return "newest"

    def _cursor(self, sort: Sort) -> Cursor | None:
        value = self.once.get("at")
        if value is None:
            return None
        cursor = Cursor.decode(value, sort)
        if cursor is None:
            self._ignore("at", value, "is no place in this order: this is the first page")
        return cursor


_NAMES = frozenset(
    ("text", "day_from", "day_to", "confidence_from", "confidence_to", "sort", "at", "column", *FACET_NAMES)
)


def _is_utf8(value: str) -> bool:
    """Whether the text has no lone halves of surrogate pairs, which no database stores."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
