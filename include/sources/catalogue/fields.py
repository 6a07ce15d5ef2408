"""Steps that the parsers of all kinds of catalogue share."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from include.characters import is_blank
from include.schema import Rejection
from include.sources.catalogue.damaged_text import LOST, mark_lost_characters
from include.sources.catalogue.native_ids import is_rounded_number, native_id
from include.sources.catalogue.row_file import Row
from include.sources.json_text import shown, shown_as_id

MAX_NUMBER = 10**100
"""A larger number is no text of a product."""

CHARACTERS_LOST = "characters_lost"
"""Flag of a product whose text has letters that an earlier program destroyed; U+FFFD stands for them."""


class UnusableRow(Exception):
    """A row cannot become a product; carries the reason code and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def to_rejection(self, source: str, found_id: Any, row: Row, position: str) -> Rejection:
        """The row set aside; `found_id` is the value of its id column, whatever it is."""
        return Rejection(source, shown_as_id(found_id), (self.reason,), self.detail, row, position)


def id_of(row: Row, column: str) -> str:
    """The id of a row; UnusableRow with `no_id`, `wrong_type` or `code_damaged`."""
    value = row.get(column)
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float | Decimal)):
        raise UnusableRow("wrong_type", f"column {column!r} holds a {type(value).__name__}, not an id")
    if isinstance(value, float) and math.isinf(value):
        raise UnusableRow("code_damaged", f"{column} is an infinite number: the id was too large for one; it is lost")
    identity = native_id(value)
    if identity is None:
        raise UnusableRow("no_id", f"column {column!r} is empty: the row has no id")
    if is_rounded_number(identity):
        why = "a spreadsheet has rounded the number; it is lost"
        raise UnusableRow("code_damaged", f"{column} is {shown(identity)}: {why}")
    return identity


def text_of(row: Row, column: str | None) -> str | None:
    """A value as stripped text, a list of texts joined with commas, or None; UnusableRow with `wrong_type`."""
    value = None if column is None else row.get(column)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None  # a data frame means a missing value by NaN, and an infinite number is no property of a product
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnusableRow("wrong_type", f"column {column!r} holds a {type(value).__name__}, not text")
    if isinstance(value, int) and abs(value) >= MAX_NUMBER:
        raise UnusableRow("wrong_type", f"column {column!r} holds {shown(value)}, not text")
    text = str(value).strip()
    return None if is_blank(text) else mark_lost_characters(text)


def address_of(row: Row, column: str | None) -> str | None:
    """The text of a column of photos or pages; None for whatever is no text: no row is lost over its photo."""
    try:
        return text_of(row, column)
    except UnusableRow:
        return None


def text_flags(*texts: str | None) -> tuple[str, ...]:
    """The flag `characters_lost` where one of the texts has U+FFFD."""
    return (CHARACTERS_LOST,) if any(text and LOST in text for text in texts) else ()
