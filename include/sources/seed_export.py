"""The export that this project began with: the first ten champagne products as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from itertools import islice
from typing import IO

from include.schema import Product

COLUMNS = ("foodId", "label", "category", "foodContentsLabel", "image")
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")


def write_seed_export(products: Iterable[Product], stream: IO[str], limit: int = 10) -> int:
    """Write the first `limit` products as CSV (RFC 4180, header first, absent values empty); returns the rows written.

    Open `stream` with `newline=""` and UTF-8. A text that a spreadsheet would run as a formula gets an
    apostrophe in front.
    """
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    written = 0
    for product in islice(products, limit):
        row = (product.native_id, product.name, product.source_category, product.ingredients, product.image_url)
        writer.writerow([_inert(value or "") for value in row])
        written += 1
    return written


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_START) else text
