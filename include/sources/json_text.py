"""JSON as servers really send it, read so that nothing later in the day can trip over it."""

from __future__ import annotations

import json
import re
from typing import Any

from include.nesting import MAX_DEPTH, TOO_DEEP, without_deep_parts

MAX_DIGITS = 500
"""A whole number with more digits is read as infinite, as `1e999` is; fewer than any interpreter refuses."""

_LONG_NUMBER = re.compile(r"[0-9]{8}")
_SAMPLED_CHARACTER = (MAX_DIGITS + 1) // 9
"""Of a number that is too long, eight characters at such distances are digits."""
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
_TEXT_OR_NO_JSON = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?Infinity|NaN')
_LEGAL = {"Infinity": "1e999", "-Infinity": "-1e999", "NaN": "null"}


def parse_json(content: bytes) -> Any:
    """The value of a JSON text in UTF-8; ValueError for anything else, however it is broken.

    Stricter than the standard library: `NaN` and `Infinity` are refused, as they are not JSON. Numbers that overflow
    (`1e999`, more than `MAX_DIGITS` digits) are infinite. Lone surrogates (`"\\ud83d"` without its other half), which
    neither Parquet nor SQL can hold, become U+FFFD. Of a text that is nested too deeply for the interpreter, what is
    nested more than `MAX_DEPTH` deep becomes `TOO_DEEP`; nobody reads further into one that is not.
    """
    text = content.decode("utf-8-sig")
    try:
        return _parsed(text)
    except RecursionError:
        return _parsed(_without_deep_parts(text))


def to_json(value: Any) -> str:
    """A JSON text that every reader takes: infinite numbers are written as `1e999`, what is no number as null.

    What is nested more than `MAX_DEPTH` deep becomes `TOO_DEEP`.
    """
    value = without_deep_parts(value)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(value, ensure_ascii=False)
        return _TEXT_OR_NO_JSON.sub(lambda found: _LEGAL.get(found[0], found[0]), text)


def shown(value: Any, characters: int = 64) -> str:
    """A value of hostile origin for a sentence, short whatever it is: `'3.00E+12'`, `-5`, `an object`."""
    if isinstance(value, str):
        return repr(value[:characters])
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if value.bit_length() <= 64 else "a number of more than 19 digits"
    names: dict[type, str] = {dict: "an object", list: "a list"}
    return names.get(type(value), f"a {type(value).__name__}")


def shown_as_id(value: Any) -> str | None:
    """What is in the place of an id, as people may look for it, at most 64 characters; None if it is no id."""
    if isinstance(value, str):
        return value[:64]
    is_short_number = isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 64)
    return str(value) if is_short_number else None


def _parsed(text: str) -> Any:
    # A function of ours for each number is slow: texts without long ones do without.
    decoder = _BOUNDED_DECODER if _LONG_NUMBER.search(text[::_SAMPLED_CHARACTER]) else _DECODER
    value = decoder.decode(text)
    has_surrogates = "\\" in text and ("\\ud" in text or "\\uD" in text)
    return _without_lone_surrogates(value) if has_surrogates else value


def _bounded_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# json.loads would make a new decoder for each text.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_BOUNDED_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_bounded_int)


def _without_deep_parts(text: str) -> str:
    """A JSON text with `TOO_DEEP` in the place of every list and object that is nested too deeply."""
    pieces = []
    depth = start = 0
    for found in _MARK.finditer(text):
        mark = found[0]
        if mark in ("[", "{"):
            depth += 1
            if depth == MAX_DEPTH + 1:
                pieces += [text[start : found.start()], json.dumps(TOO_DEEP)]
        elif mark in ("]", "}"):
            if depth == MAX_DEPTH + 1:
                start = found.end()
            depth -= 1
    if depth:
        raise ValueError("lists or objects are not closed")
    return "".join([*pieces, text[start:]])


def _without_lone_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_lone_surrogates(key): _without_lone_surrogates(item) for key, item in value.items()}
    return value
