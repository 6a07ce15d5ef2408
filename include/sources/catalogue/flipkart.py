"""Rows of the Flipkart sample: 15 columns, three of which hold lists in notations of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from include.schema import Product, Rejection
from include.sources.catalogue.fields import UnusableRow, address_of, id_of, text_flags, text_of
from include.sources.catalogue.row_file import Row

ATTRIBUTION = (
    "Product data from the Flipkart products sample, published under CC BY-SA 4.0; photos belong to their sellers."
)

# One pair of a Ruby hash: {"key"=>"Material", "value"=>"Cotton"}; some have a value alone.
_SPECIFICATION = re.compile(
    r'\{\s*+(?:"key"\s*+=>\s*+"(?P<key>(?:[^"\\]|\\.)*+)"\s*+,\s*+)?'
    r'"value"\s*+=>\s*+"(?P<value>(?:[^"\\]|\\.)*+)"\s*+\}'
)
_ESCAPED = re.compile(r"\\(.)")


def parse_flipkart_row(row: Row, source: str, position: str) -> Product | Rejection:
    """The row as a Product, or as a Rejection with `no_id`, `no_name`, `code_damaged` or `wrong_type`.

    `source_category` is the first path of the category tree, e.g. `Baby Care >> Baby Bath & Skin`. The
    specifications are added to the description's end. The crawl time is no time of modification and is left
    out. A row without a name goes on if it has other text or a photo.
    """
    try:
        return _product(row, source)
    except UnusableRow as problem:
        return problem.to_rejection(source, row.get("uniq_id"), row, position)


def _product(row: Row, source: str) -> Product:
    identity = id_of(row, "uniq_id")
    name, brand = text_of(row, "product_name"), text_of(row, "brand")
    description = _described(text_of(row, "description"), text_of(row, "product_specifications"))
    image = first_of_list(address_of(row, "image"))
    if not (name or description or image):
        raise UnusableRow("no_name", "the row has neither name, description nor photo")
    return Product(
        source=source,
        native_id=identity,
        name=name,
        brand=brand,
        description=description,
        language="en",
        source_category=first_of_list(text_of(row, "product_category_tree")),
        url=address_of(row, "product_url"),
        image_url=image,
        flags=text_flags(name, brand, description),
    )


def first_of_list(text: str | None) -> str | None:
    """The first text of a list written as JSON, also where the list was cut short; other text unchanged.

    `["Baby Care >> Bath", "Other"]` gives `Baby Care >> Bath`.
    """
    if text is None or not text.startswith("["):
        return text
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = [text.strip("[]").strip().strip('"')]
    texts = (item.strip() for item in items if isinstance(item, str)) if isinstance(items, list) else ()
    return next((item for item in texts if item), None)


def _described(description: str | None, specifications: str | None) -> str | None:
    """The description, then every specification as `; Key: value`: names of specifications are characteristic, too."""
    listed = (f"{key}: {value}" if key else value for key, value in read_specifications(specifications))
    return "; ".join(part for part in ((description or "").rstrip(" .,;"), *listed) if part) or None


def read_specifications(text: str | None) -> Iterator[tuple[str, str]]:
    """Key (may be empty) and value of each entry of a Ruby hash; what does not look like one gives nothing."""
    for match in _SPECIFICATION.finditer(text or ""):
        key, value = (_ESCAPED.sub(r"\1", match.group(name) or "").strip() for name in ("key", "value"))
        if value:
            yield key, value
