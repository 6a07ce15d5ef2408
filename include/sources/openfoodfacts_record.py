"""One Open Food Facts record, from any of its interfaces and schema versions, as a Product or a Rejection.

Keys are absent rather than null, but null, empty and blank count as absent too. Keys not known here are
ignored: the landed file keeps them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from include.schema import Product, Rejection
from include.sources.openfoodfacts_image import front_image_url
from include.visible_characters import is_blank

KNOWN_SCHEMA_VERSIONS = range(995, 1005)
"""Versions this parser reads, after the change log of the product schema (docs/api/ref-api-and-product-schema-
change-log of openfoodfacts-server). 995 to 1000 carry no number in the dumps; 1001 made brands a taxonomy
(`brands_tags` begin with `xx:`), 1002 split `images` into uploaded and selected, 1003 moved nutrition facts,
1004 dropped the `*_hierarchy` fields and computes text fields such as `brands` from their tags."""

LARGEST_EXACT_INTEGER = 2**53
"""Above this, a number may have been rounded by a program that keeps numbers as doubles."""

_BARCODE = re.compile(r"[0-9]{1,32}")
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_TAG = re.compile(r"[a-z]{2,3}:.+")
_LATEST_TIME = 4_102_444_800  # 2100-01-01: later values are milliseconds or damage


class _Unusable(Exception):
    """A record cannot become a product; carries the reason code and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def parse_product(payload: Any, source: str, position: str = "") -> Product | Rejection:
    """The record as a Product, or as a Rejection with one of the codes `wrong_type`, `no_id`, `code_damaged`,
    `unknown_schema_version`, `no_name`. Never raises, whatever JSON value `payload` is.
    """
    if not isinstance(payload, dict):
        detail = f"the record is a {_kind(payload)}, not an object"
        return Rejection(source, None, ("wrong_type",), detail, {"record": payload}, position)
    try:
        _check_schema_version(payload.get("schema_version"))
        return _product(payload, source, _code(payload))
    except _Unusable as problem:
        native_id = payload.get("code")
        shown_id = str(native_id)[:64] if isinstance(native_id, str | int | float) else None
        return Rejection(source, shown_id, (problem.reason,), problem.detail, payload, position)


def _product(payload: dict[str, Any], source: str, code: str) -> Product:
    language = _language(payload)
    name = _localised(payload, "product_name", language) or _localised(payload, "abbreviated_product_name", language)
    if name is None:
        raise _Unusable("no_name", "the record has no product name in any language")
    page = _text(payload, "url")
    return Product(
        source=source,
        native_id=code,
        name=name,
        brand=_brand(payload),
        description=_localised(payload, "generic_name", language),
        ingredients=_localised(payload, "ingredients_text", language),
        quantity=_text(payload, "quantity", numbers=True),
        language=language,
        category_tags=_tags(payload, "categories_tags") or _tags(payload, "categories_hierarchy"),
        source_category=_listed_text(payload, "categories"),
        url=page if page and page.startswith("http") else f"https://world.openfoodfacts.org/product/{code}",
        image_url=front_image_url(payload, code, language),
        last_modified=_moment(payload, "last_modified_t"),
    )


def _check_schema_version(version: Any) -> None:
    if version is None:
        return
    number = int(version) if isinstance(version, str) and re.fullmatch(r"[0-9]{1,9}", version) else version
    if isinstance(number, bool) or not isinstance(number, int) or number not in KNOWN_SCHEMA_VERSIONS:
        known = f"{KNOWN_SCHEMA_VERSIONS[0]} to {KNOWN_SCHEMA_VERSIONS[-1]}"
        raise _Unusable("unknown_schema_version", f"schema_version is {version!r}; this version reads {known}"[:500])


def _code(payload: dict[str, Any]) -> str:
    """The barcode as text, leading zeros kept."""
    present = [payload[key] for key in ("code", "_id", "id") if payload.get(key) not in (None, "")]
    if not present:
        raise _Unusable("no_id", "the record has no code")
    value = present[0]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Unusable("wrong_type", f"code is a {_kind(value)}, not text")
    if isinstance(value, int) and 0 <= value <= LARGEST_EXACT_INTEGER:
        return str(value)
    text = str(value).strip()
    if not text:
        raise _Unusable("no_id", "the record has no code")
    if not isinstance(value, str) or _SCIENTIFIC.fullmatch(text):
        detail = f"code is {text[:64]!r}: a number that was rounded; the barcode is lost"
        raise _Unusable("code_damaged", detail)
    if not _BARCODE.fullmatch(text):
        raise _Unusable("code_damaged", f"code is {text[:64]!r}: a barcode has digits only")
    return text


def _text(payload: dict[str, Any], key: str, *, numbers: bool = False) -> str | None:
    value = payload.get(key)
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Unusable("wrong_type", f"{key} is a {_kind(value)}, not text")
    return None if is_blank(value) else value.strip()


def _localised(payload: dict[str, Any], key: str, language: str | None) -> str | None:
    """The field itself, else in the product's own language, else in French, English, or any, by name."""
    plain = _text(payload, key)
    if plain:
        return plain
    pattern = re.compile(rf"{key}_[a-z]{{2}}")
    others = sorted(found for found in payload if pattern.fullmatch(found))
    for candidate in (f"{key}_{language}", f"{key}_fr", f"{key}_en", *others):
        text = _text(payload, candidate)
        if text:
            return text
    return None


def _language(payload: dict[str, Any]) -> str | None:
    for key in ("lang", "lc"):
        value = payload.get(key)
        if isinstance(value, str) and re.fullmatch(r"[a-z]{2}([-_].*)?", value.strip().lower()):
            return value.strip().lower()[:2]
    return None


def _strings(payload: dict[str, Any], key: str) -> list[str]:
    """A field that is a list of texts, or texts separated by commas; stripped, without empty ones."""
    value = payload.get(key)
    if value is None:
        return []
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list):
        raise _Unusable("wrong_type", f"{key} is a {_kind(value)}, not a list of texts")
    for item in items:
        if not isinstance(item, str):
            raise _Unusable("wrong_type", f"{key} holds a {_kind(item)} among its texts")
    return [item.strip() for item in items if not is_blank(item)]


def _tags(payload: dict[str, Any], key: str) -> tuple[str, ...]:
    """Tags, each once. As text, which exports have instead of a list, they must look like tags."""
    tags = _strings(payload, key)
    if isinstance(payload.get(key), str) and not all(_TAG.fullmatch(tag) for tag in tags):
        raise _Unusable("wrong_type", f"{key} is text, not a list of tags")
    return tuple(dict.fromkeys(tags))


def _listed_text(payload: dict[str, Any], key: str) -> str | None:
    """A field that is text in older schema versions and a list of texts in newer ones, as text."""
    if isinstance(payload.get(key), list):
        return ", ".join(_strings(payload, key)) or None
    return _text(payload, key)


def _brand(payload: dict[str, Any]) -> str | None:
    named = _listed_text(payload, "brands")
    if named:
        return named
    tags = _tags(payload, "brands_hierarchy") or _tags(payload, "brands_tags")
    return ", ".join(tag.removeprefix("xx:").replace("-", " ") for tag in tags) or None


def _moment(payload: dict[str, Any], key: str) -> datetime | None:
    """A time in Unix seconds, as number or text."""
    value = payload.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_TIME:
        raise _Unusable("wrong_type", f"{key} is {str(value)[:64]!r}, not a time in Unix seconds")
    return datetime.fromtimestamp(int(value), UTC)


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "truth value", int: "number", float: "number"}
    return names.get(type(value), "null")
