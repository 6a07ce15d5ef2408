"""Ids as text, and ids that a spreadsheet has destroyed."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

LARGEST_EXACT_INTEGER = 2**53
"""Above this, a floating point number no longer distinguishes neighbours."""

_MOST_DIGITS = 100
"""Of an id that came as a number."""

_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}")


def is_rounded_number(text: str) -> bool:
    """Whether a spreadsheet wrote this for a long number: `3.00E+12`, `7,6223E+12`; the number is lost."""
    return _ROUNDED.fullmatch(text) is not None


def native_id(value: Any) -> str | None:
    """An id as text, leading zeros kept; None where there is none, or a number that no text could hold.

    Whole floating point numbers (what a data frame makes of a column with gaps) are written as integers.
    """
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _MOST_DIGITS:
        value = int(value) if value == int(value) else str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):
        if not math.isfinite(value) or not value.is_integer() or abs(value) > LARGEST_EXACT_INTEGER:
            return None if math.isnan(value) else f"{value:E}"
        value = int(value)
    if isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS:
        return None
    return str(value).strip() or None
