"""One Open Food Facts record, from any of its interfaces and schema versions, as a Product or a Rejection.

Keys are absent rather than null, but null, empty and blank count as absent too. Keys not known here are
ignored: the landed file keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from include.characters import is_blank, is_usable_address
from include.schema import Product, Rejection
from include.sources.json_text import shown, shown_as_id
from include.sources.openfoodfacts_image import front_image_url

KNOWN_SCHEMA_VERSIONS = range(995, 1005)
"""Versions this parser reads, after the change log of the product schema (docs/api/ref-api-and-product-schema-
change-log of openfoodfacts-server). 995 to 1000 carry no number in the dumps; 1001 made brands a taxonomy
(`brands_tags` begin with `xx:`), 1002 split `images` into uploaded and selected, 1003 moved nutrition facts,
1004 dropped the `*_hierarchy` fields and computes text fields such as `brands` from their tags."""

UNKNOWN_VERSION = "unknown_schema_version"
"""Flag of a product, and reason beside another of a rejection, whose version is none of those."""

LARGEST_EXACT_INTEGER = 2**53
"""Above this, a number may have been rounded by a program that keeps numbers as doubles."""

_BARCODE = re.compile(r"[0-9]{1,32}")
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_TAG = re.compile(r"[a-z]{2,3}:.+")
_LATEST_TIME = 4_102_444_800  # 2100-01-01: later values are milliseconds or damage
_SECONDS = re.compile(r"\s*([0-9]{1,10})(?:\.0*)?\s*", re.ASCII)

T = TypeVar("T")


class _Unusable(Exception):
    """A record cannot become a product; carries the reason code and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def parse_product(payload: Any, source: str, position: str = "") -> Product | Rejection:
    """The record as a Product, or as a Rejection with `wrong_type`, `no_id`, `code_damaged` or `no_name`.

    A record of a schema version that is not known is read like the newest known one, and flagged; of it, only the
    fields that decide are needed: code, name, ingredients and category tags. What else cannot be read counts as absent.
    """
    if not isinstance(payload, dict):
        detail = f"the record is a {_kind(payload)}, not an object"
        return Rejection(source, None, ("wrong_type",), detail, {"record": payload}, position)
    version = payload.get("schema_version")
    is_known = version is None or version == "" or _is_known(version)
    try:
        return _product(payload, source, _code(payload), is_known)
    except _Unusable as problem:
        shown_id = shown_as_id(payload.get("code"))
        reasons, detail = (problem.reason,), problem.detail
        if not is_known:
            detail = f"{detail}; schema_version is {shown(version)}, which this reader does not know"
            return Rejection(source, shown_id, (*reasons, UNKNOWN_VERSION), detail, payload, position)
        return Rejection(source, shown_id, reasons, detail, payload, position)


def moment_of_change(payload: Any) -> int | None:
    """`last_modified_t` in Unix seconds as far as it can be read, whatever the payload is; the parser judges it."""
    value = payload.get("last_modified_t") if isinstance(payload, dict) else None
    if isinstance(value, str):
        found = _SECONDS.fullmatch(value)
        return int(found[1]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST_EXACT_INTEGER:
        return None
    return int(value)


def _product(payload: dict[str, Any], source: str, code: str, is_known_version: bool) -> Product:
    language = _language(payload)
    name = _localised(payload, "product_name", language) or _localised(payload, "abbreviated_product_name", language)
    if name is None:
        raise _Unusable("no_name", "the record has no product name in any language")

    def optional(read: Callable[[], T | None]) -> T | None:
        if is_known_version:
            return read()
        try:
            return read()
        except _Unusable:
            return None

    page = optional(lambda: _text(payload, "url"))
    is_page = page is not None and page.startswith("http") and is_usable_address(page)
    return Product(
        source=source,
        native_id=code,
        name=name,
        brand=optional(lambda: _brand(payload)),
        description=optional(lambda: _localised(payload, "generic_name", language)),
        ingredients=_localised(payload, "ingredients_text", language),
        quantity=optional(lambda: _text(payload, "quantity", numbers=True)),
        language=language,
        category_tags=_tags(payload, "categories_tags") or _tags(payload, "categories_hierarchy"),
        source_category=optional(lambda: _listed_text(payload, "categories")),
        url=page if is_page else f"https://world.openfoodfacts.org/product/{code}",
        image_url=front_image_url(payload, code, language),
        flags=() if is_known_version else (UNKNOWN_VERSION,),
        last_modified=optional(lambda: _moment(payload, "last_modified_t")),
    )


def _is_known(version: Any) -> bool:
    number = int(version) if isinstance(version, str) and re.fullmatch(r"[0-9]{1,9}", version) else version
    return isinstance(number, int) and not isinstance(number, bool) and number in KNOWN_SCHEMA_VERSIONS


def _code(payload: dict[str, Any]) -> str:
    """The barcode as text, leading zeros kept."""
    # `_id` and `id` are the database's own where they are objects.
    ids = (payload.get("code"), *(value for key in ("_id", "id") if not isinstance(value := payload.get(key), dict)))
    value = next((value for value in ids if value is not None and value != ""), None)
    if value is None:
        raise _Unusable("no_id", "the record has no code")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Unusable("wrong_type", f"code is a {_kind(value)}, not text")
    if isinstance(value, int) and 0 <= value <= LARGEST_EXACT_INTEGER:
        return str(value)
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, str) and not text:
        raise _Unusable("no_id", "the record has no code")
    if not isinstance(value, str) or _SCIENTIFIC.fullmatch(text):
        raise _Unusable("code_damaged", f"code is {shown(value)}: a number that was rounded; the barcode is lost")
    if not _BARCODE.fullmatch(text):
        raise _Unusable("code_damaged", f"code is {text[:64]!r}: a barcode has digits only")
    return text


def _text(payload: dict[str, Any], key: str, *, numbers: bool = False) -> str | None:
    value = payload.get(key)
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value) if abs(value) < LARGEST_EXACT_INTEGER else value
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
    beginning, length = f"{key}_", len(key) + 3
    found = [name for name in payload if name.startswith(beginning) and len(name) == length]
    others = sorted(name for name in found if re.fullmatch("[a-z]{2}", name[-2:]))
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
    if isinstance(value, str) and (found := _SECONDS.fullmatch(value)):
        value = int(found[1])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_TIME:
        raise _Unusable("wrong_type", f"{key} is {shown(value)}, not a time in Unix seconds")
    return datetime.fromtimestamp(int(value), UTC)


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "truth value", int: "number", float: "number"}
    return names.get(type(value), "null")
