"""Every reason code and flag of the platform, with a sentence for the person who reads a report.

A reason sets a record aside in the quarantine; a flag is a remark on a record that goes on. Sources and
row rules give codes as plain strings; a code that is not listed here has no meaning to anyone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

REASONS: Final[dict[str, str]] = {
    "no_id": "The record has no id, so that it could never be recognised again.",
    "bad_id": "The id is too long, or holds white space or control characters.",
    "code_damaged": "The code is not what the source's ids are made of; most often a spreadsheet has rounded "
    "the barcode (3.00E+12) and its digits are lost.",
    "no_name": "The product has no name.",
    "no_text": "There is neither a name nor a description nor ingredients: nothing to classify by.",
    "name_too_long": "The name is longer than any real name: two fields have probably run together.",
    "text_too_long": "A text is longer than any real one: several records have probably run together.",
    "control_characters": "A text holds control characters or direction overrides: its encoding is damaged, "
    "or it means to mislead.",
    "duplicate": "The same id came earlier in this batch; the first record was kept.",
    "wrong_type": "A field has another type than the source documents, e.g. a list instead of a text.",
    "not_json": "The line is not valid JSON: it was cut off or damaged on its way.",
    "unknown_schema_version": "The record is in an unknown version of the source's format, and a required "
    "field could not be read.",
    "unreadable": "The program failed on the record: an error in the program, logged with its traceback by the task.",
}
"""Reason code → sentence. Quarantine rows carry one or more of these codes."""

FLAGS: Final[dict[str, str]] = {
    "check_digit_wrong": "The check digit does not fit the rest of the barcode: a digit was probably mistyped.",
    "short_code": "The code is shorter than a barcode, or has lost its leading zeros.",
    "long_code": "The code is longer than any barcode of a product.",
    "characters_lost": "Some characters of a text were lost at or before the source (they are \ufffd now).",
    "unknown_schema_version": "The record is in an unknown version of the source's format; it was read as the "
    "newest known one.",
    "bad_address": "The address of the photo or of the page was damaged, misleading or too long, and was left out.",
    "in_store_code": "The number was given by a shop; another shop may use it for another product.",
    "unfamiliar": "The product is unlike anything that the model was trained on, so its label is for review.",
    "rule_disagrees": "A written rule of the taxonomy contradicts the classifiers, so the label is for review.",
}
"""Flag → sentence. Flags are in `Product.flags`; they reject nothing."""


FIELDS_OF_REASONS: Final[dict[str, tuple[str, ...]]] = {
    "no_id": ("id",),
    "bad_id": ("id",),
    "code_damaged": ("id",),
    "duplicate": ("id",),
    "no_name": ("name",),
    "no_text": ("name", "description", "ingredients"),
    "name_too_long": ("name",),
}
"""Reason code → the fields that it is about; other reasons may be about any, which their detail names."""

_NAMED_FIELD = re.compile(r"(?:column '([^']{1,60})'|([\w.-]{1,60})) (?:has|holds|is) ")


def fields_of(reasons: Iterable[str], detail: str) -> list[str]:
    """The fields for which a record was set aside, e.g. `["name", "brand"]`; empty where the record as a whole is bad.

    `detail` is that of the rejection: its parts begin with the name of a field.
    """
    known = [field for reason in reasons for field in FIELDS_OF_REASONS.get(reason, ())]
    if any(reason in _REASONS_OF_ANY_FIELD for reason in reasons):
        named = (_NAMED_FIELD.match(part) for part in detail.split("; "))
        names = [found.group(1) or found.group(2) for found in named if found]
        known += [_OTHER_NAMES.get(name, name) for name in names]
    return list(dict.fromkeys(known))


_REASONS_OF_ANY_FIELD = frozenset({"text_too_long", "control_characters", "wrong_type", "unknown_schema_version"})
_OTHER_NAMES = {"code": "id", "foodId": "id"}
"""A source's name of a field → ours."""


def describe_reason(code: str) -> str:
    """The sentence of a reason code; a code that is not listed is named as such, never an error."""
    return REASONS.get(code, f"This code ({code}) is not described yet.")


def describe_flag(flag: str) -> str:
    """The sentence of a flag; sources may add flags of their own, which are shown as they are."""
    return FLAGS.get(flag, flag.replace("_", " "))
