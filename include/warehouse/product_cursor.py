"""A place in the sorted products: what a page begins after, or ends before."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date
from typing import Literal

Sort = Literal["newest", "oldest", "surest", "least_sure"]
"""Orders of products: by last seen day, or by confidence."""
KEYS: dict[Sort, Literal["day", "confidence"]] = {
    "newest": "day", "oldest": "day", "surest": "confidence", "least_sure": "confidence",
}  # fmt: skip
"""Order → the column of `product_facets` that it sorts by."""
DESCENDING: frozenset[Sort] = frozenset({"newest", "surest"})
LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Cursor:
    """The product next to a page: the page follows it, or with `backwards` ends before it."""

    sort: Sort
    key: date | float
    number: int
    backwards: bool = False

    def encode(self) -> str:
        """Letters, digits, `-` and `_`, for a URL."""
        key = self.key.isoformat() if isinstance(self.key, date) else self.key
        place = json.dumps([self.sort, key, self.number, int(self.backwards)], separators=(",", ":"))
        return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, sort: Sort) -> Cursor | None:
        """The cursor that `encode` gave; None if the text is none of this order, whatever it is."""
        try:
            place = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        except (ValueError, binascii.Error, RecursionError):
            return None
        if not isinstance(place, list) or len(place) != 4 or place[0] != sort:
            return None
        _sort, key, number, backwards = place
        if type(number) is not int or not 0 <= number <= LARGEST_NUMBER or backwards not in (0, 1):
            return None
        found = _key(key, sort)
        return None if found is None else cls(sort, found, number, bool(backwards))


def _key(key: object, sort: Sort) -> date | float | None:
    if KEYS[sort] == "confidence":
        return float(key) if isinstance(key, int | float) and 0 <= key <= 1 else None
    try:
        return date.fromisoformat(key) if isinstance(key, str) else None
    except ValueError:
        return None
