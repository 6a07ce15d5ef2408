"""Faults of records: what contributors, exports and changed schemas make of a product."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from include.sandbox.catalogue import Record
from include.sandbox.faults import RECORD_FAULTS, Fault, Faults

_OF_ONE_RECORD = tuple(name for name in RECORD_FAULTS if name != "broken_lines")
_PRODUCT_KEYS = ("product_name", "code", "ingredients_text", "brands", "categories_tags", "last_modified_t")
_FOOD_KEYS = ("label", "foodId", "brand", "category", "foodContentsLabel", "image")
_WRONG: dict[str, Any] = {
    "product_name": ["a", "list"],
    "code": {"value": 1},
    "ingredients_text": 17,
    "brands": {"main": "an object"},
    "categories_tags": "text, not a list",
    "last_modified_t": "yesterday",
    "label": 3.5,
    "foodId": ["food_x"],
    "brand": 12,
    "category": {"id": 5},
    "foodContentsLabel": {"text": "an object"},
    "image": 404,
}


def spoil_products(products: Sequence[Record], faults: Faults, path: str) -> list[Record]:
    """The product records as this request sees them; the given ones stay as they are."""
    active = faults.of_content(path, _OF_ONE_RECORD)
    return [_spoil(product, str(product.get("code")), _PRODUCT_KEYS, active) for product in products]


def spoil_hints(hints: Sequence[Record], faults: Faults, path: str) -> list[Record]:
    """The Edamam hints as this request sees them; the given ones stay as they are."""
    active = faults.of_content(path, _OF_ONE_RECORD)
    return [
        hint | {"food": _spoil(hint["food"], str(hint["food"].get("foodId")), _FOOD_KEYS, active)} for hint in hints
    ]


def spoil_lines(lines: Sequence[bytes], faults: Faults, path: str) -> list[bytes]:
    """Lines of a delta file, some of them cut where `broken_lines` is on."""
    for fault, _ in faults.of_content(path, ("broken_lines",)):
        lines = [line[: len(line) // 2] if fault.picks(line.decode()) else line for line in lines]
    return list(lines)


def _spoil(record: Record, code: str, keys: tuple[str, ...], active: Sequence[tuple[Fault, int]]) -> Record:
    for fault, _ in active:
        if fault.picks(code):
            record = _apply(fault.name, dict(record), code, keys)
    return record


def _apply(name: str, record: Record, code: str, keys: tuple[str, ...]) -> Record:
    present = [key for key in keys if key in record]
    key = present[zlib.crc32(code.encode("utf-8", "surrogatepass")) % len(present)] if present else ""
    if name == "absent_keys":
        record.pop(key, None)
    elif name == "null_keys" and key:
        record[key] = None
    elif name == "wrong_types" and key:
        record[key] = _WRONG[key]
    elif name == "unknown_keys":
        record |= {"x_undocumented": {"nested": [1, 2, {"deep": None}]}, "knowledge_panels_": "…"}
    elif name == "unknown_schema_version":
        record |= {"schema_version": 9999, "images": [{"face": "front"}], "brands": [{"name": record.get("brands")}]}
    return record
