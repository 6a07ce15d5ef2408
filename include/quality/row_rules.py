"""Rules that look at one record: which are set aside, with every reason, and which go on with a flag.

Records in = records kept + records set aside, always. Whatever leaves here can be written to Parquet and to
PostgreSQL as it is: no lone surrogate, no NUL, no text without bound.

    for kept, rejected in RowRules().apply(records, chunk_rows=5_000):
        ...
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

from include.characters import FORBIDDEN, has_letters_or_digits, is_usable_address
from include.nesting import without_deep_parts
from include.quality.barcode import barcode_flags
from include.record_guard import RecordGuard
from include.schema import Product, Rejection

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_UNWRITABLE_AS_JSON = re.compile(r"[\ud800-\udfff]|\\u0000|NaN|Infinity")
_FIELDS = tuple(field.name for field in fields(Product))
_WRITABLE_BITS = 2_000
"""A larger number is not written out: Python limits the digits that it writes by a setting."""
_WHITE_SPACE = re.compile(r"\s")
_ROUNDED_CODE = re.compile(r"[+-]?\d+(?:[.,]\d*)?(?:[eE][+-]?\d+)|\d+[.,]0*")
_SHORT_TEXTS = ("brand", "quantity", "language", "source_category")
_LONG_TEXTS = ("description", "ingredients")
_all_texts = attrgetter("name", *_SHORT_TEXTS, *_LONG_TEXTS)


@dataclass(frozen=True, slots=True)
class RowLimits:
    """How long things may be, in characters. Far above real data: the longest real ingredients text is about 7,000."""

    id_characters: int = 200
    name_characters: int = 500
    short_text_characters: int = 4_000
    long_text_characters: int = 50_000
    tags_characters: int = 20_000
    """All category tags of one product together."""
    raw_characters: int = 200_000
    """A larger raw record is cut in the quarantine; the landing has it whole."""
    barcode_sources: tuple[str, ...] = ("openfoodfacts",)
    """Sources whose ids are barcodes, by the beginning of their names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a record is set aside, with what exactly was seen."""

    reason: str
    detail: str


class RowRules:
    """The row rules for one batch; it remembers the ids that it kept, so make a new one for each batch."""

    def __init__(self, limits: RowLimits | None = None, guard: RecordGuard | None = None) -> None:
        """Start a batch; `guard` is that of the source's reader."""
        self.limits = limits or RowLimits()
        self._guard = guard
        self._kept_ids: set[str] = set()

    def apply(
        self, records: Iterable[Product | Rejection], chunk_rows: int
    ) -> Iterator[tuple[list[Product], list[Rejection]]]:
        """Check every record of a batch; lazily, one chunk in memory at a time, in the order of the records.

        Each list has at most `chunk_rows` entries. A list of products has exactly `chunk_rows`, except the
        last one and those that are empty, so that chunks can be written as row groups.
        """
        if chunk_rows < 1:
            raise ValueError(f"chunk_rows must be at least 1, not {chunk_rows}")
        products: list[Product] = []
        rejections: list[Rejection] = []
        guard = self._guard or RecordGuard("records")
        for number, record in enumerate(records, start=1):
            guard.processed = number
            try:
                checked = self.check(record, position=f"record {number}")
            except MemoryError:
                raise
            except Exception as error:
                checked = failed_record(record, error, guard, f"record {number}")
            if isinstance(checked, Product):
                products.append(checked)
            else:
                rejections.append(checked)
            if len(products) == chunk_rows:
                yield products, rejections
                products, rejections = [], []
            elif len(rejections) == chunk_rows:
                yield [], rejections
                rejections = []
        if products or rejections:
            yield products, rejections
        if self._guard is None:
            guard.warn()

    def check(self, record: Product | Rejection, position: str) -> Product | Rejection:
        """One record: the product with its flags, or why it is set aside.

        `position` is that of a product in its batch; a record that the source rejected keeps its own.
        """
        if isinstance(record, Rejection):
            return writable(record, self.limits.raw_characters)
        record = _without_bad_addresses(record)
        findings = [*self._id_findings(record), *self._text_findings(record)]
        if not findings:
            flagged = self._with_flags(record)
            self._kept_ids.add(record.native_id)
            return flagged
        rejection = Rejection(
            source=record.source,
            native_id=record.native_id or None,
            reasons=tuple(dict.fromkeys(finding.reason for finding in findings)),
            detail="; ".join(finding.detail for finding in findings),
            raw={name: value for name, value in record.to_row().items() if value not in (None, (), [])},
            position=position,
        )
        return writable(rejection, self.limits.raw_characters)

    def _has_barcode(self, product: Product) -> bool:
        return product.source.startswith(self.limits.barcode_sources)

    def _id_findings(self, product: Product) -> Iterator[Finding]:
        native_id = product.native_id
        if not native_id.strip():
            yield Finding("no_id", "the id is empty")
        elif len(native_id) > self.limits.id_characters:
            yield Finding("bad_id", _too_long("id", len(native_id), self.limits.id_characters))
        elif _WHITE_SPACE.search(native_id) or FORBIDDEN.search(native_id):
            yield Finding("bad_id", f"id {_shown(native_id)} holds white space or control characters")
        elif self._has_barcode(product) and not (native_id.isascii() and native_id.isdigit()):
            rounded = _ROUNDED_CODE.fullmatch(native_id) is not None
            why = "a spreadsheet has rounded the barcode" if rounded else "a barcode has digits only"
            yield Finding("code_damaged", f"code is {_shown(native_id)}: {why}")
        if native_id in self._kept_ids:
            yield Finding("duplicate", f"id {_shown(native_id)} came earlier in this batch")

    def _text_findings(self, product: Product) -> Iterator[Finding]:
        limits = self.limits
        if not has_letters_or_digits(product.name):
            yield Finding("no_name", "no name" if not product.name else f"the name is {_shown(product.name)}")
            if not (has_letters_or_digits(product.description) or has_letters_or_digits(product.ingredients)):
                yield Finding("no_text", "no description and no ingredients either")
        elif product.name and len(product.name) > limits.name_characters:
            yield Finding("name_too_long", _too_long("name", len(product.name), limits.name_characters))
        if self._is_short_and_clean(product):
            return
        for field in (*_SHORT_TEXTS, *_LONG_TEXTS):
            length = len(getattr(product, field) or "")
            limit = limits.long_text_characters if field in _LONG_TEXTS else limits.short_text_characters
            if length > limit:
                yield Finding("text_too_long", _too_long(field, length, limit))
        tags_length = sum(map(len, product.category_tags))
        if tags_length > limits.tags_characters:
            yield Finding("text_too_long", _too_long("category_tags", tags_length, limits.tags_characters))
        for field in ("name", *_SHORT_TEXTS, *_LONG_TEXTS, "category_tags"):
            value = getattr(product, field) or ""
            found = FORBIDDEN.search(value if isinstance(value, str) else "\n".join(value))
            if found:
                yield Finding("control_characters", f"{field} holds U+{ord(found.group()):04X}")

    def _is_short_and_clean(self, product: Product) -> bool:
        """Whether no text, as with most products, can be too long or hold what is forbidden; all are looked at once."""
        limits = self.limits
        texts = "\n".join([*filter(None, _all_texts(product)), *product.category_tags])
        lowest = min(limits.short_text_characters, limits.long_text_characters, limits.tags_characters)
        return len(texts) <= lowest and FORBIDDEN.search(texts) is None

    def _with_flags(self, product: Product) -> Product:
        if not self._has_barcode(product):
            return product
        flags = tuple(dict.fromkeys((*product.flags, *barcode_flags(product.native_id))))
        return product if flags == product.flags else replace(product, flags=flags)


def failed_record(record: Product | Rejection, error: Exception, guard: RecordGuard, position: str) -> Rejection:
    """The rejection of a record on which the program failed with `error`, after its source had read it.

    If the record cannot be written either, the rejection has its position alone.
    """
    position = record.position if isinstance(record, Rejection) else position
    rejection = guard.set_aside(error, {}, position)
    reasons = record.reasons if isinstance(record, Rejection) else ()
    rejection = replace(rejection, source=record.source, reasons=tuple(dict.fromkeys((*reasons, *rejection.reasons))))
    try:
        raw = record.raw if isinstance(record, Rejection) else {name: getattr(record, name) for name in _FIELDS}
        whole = writable(replace(rejection, raw=raw, native_id=record.native_id), RowLimits().raw_characters)
        whole.to_row()
    except MemoryError:
        raise
    except Exception:  # most often the same again
        return replace(rejection, raw={"…": "the record cannot be written down; the landed file has it"})
    return whole


def _without_bad_addresses(product: Product) -> Product:
    """The product without addresses that cannot be kept, and a flag in their place: none is lost over its photo."""
    image_url, url = product.image_url, product.url
    is_good_image, is_good_page = not image_url or is_usable_address(image_url), not url or is_usable_address(url)
    if is_good_image and is_good_page:
        return product
    return replace(
        product,
        image_url=image_url if is_good_image else None,
        url=url if is_good_page else None,
        flags=tuple(dict.fromkeys((*product.flags, "bad_address"))),
    )


def writable(rejection: Rejection, raw_characters: int) -> Rejection:
    """The same rejection, such that Parquet and PostgreSQL (text and jsonb) take it.

    NUL and lone surrogates become U+FFFD, NaN and infinities become texts, what is nested too deeply `…`. A raw record
    of more than `raw_characters` characters (as JSON) has its texts cut, with their full lengths noted.
    """
    raw = without_deep_parts(rejection.raw)
    try:
        raw_text = json.dumps(raw, ensure_ascii=False, default=str)
    except (ValueError, TypeError):  # an enormous number, or a key that is none of JSON's
        raw = _cleaned(raw)
        raw_text = json.dumps(raw, ensure_ascii=False, default=str)
    if len(raw_text) > raw_characters:
        raw = _cut(raw, raw_characters)
    elif _UNWRITABLE_AS_JSON.search(raw_text):
        raw = _cleaned(raw)
    native_id = rejection.native_id and _cleaned(rejection.native_id[:1_000])
    detail = _cleaned(rejection.detail[:4_000])
    return replace(rejection, raw=raw, native_id=native_id, detail=detail, position=_cleaned(rejection.position))


def _cut(raw: dict[str, Any], characters: int) -> dict[str, Any]:
    """An oversized raw record: its plain fields, each cut to 1,000 characters; nested ones as JSON text."""
    cut: dict[str, Any] = {}
    room = characters
    for name, value in raw.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        room -= len(name) + min(len(text), 1_000)
        if room < 0:
            cut["…"] = "more fields were left out"
            break
        cut[name[:200]] = value if len(text) <= 1_000 else f"{text[:1_000]}… ({len(text):,} characters)"
    cleaned: dict[str, Any] = _cleaned(cut)
    return cleaned


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _UNWRITABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_cleaned(str(name)): _cleaned(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _WRITABLE_BITS:
        return "a number of more than 600 digits"
    return value


def _too_long(field: str, length: int, limit: int) -> str:
    return f"{field} has {length:,} characters, at most {limit:,} are taken"


def _shown(text: str) -> str:
    """A text of hostile origin inside a sentence: short, with escapes for what cannot be seen."""
    return ascii(text if len(text) <= 60 else text[:60] + "…") if FORBIDDEN.search(text) else repr(text[:60])
