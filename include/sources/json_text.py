"""JSON as servers really send it, read so that nothing later in the day can trip over it."""

from __future__ import annotations

import json
from typing import Any


def parse_json(content: bytes) -> Any:
    """The value of a JSON text in UTF-8; ValueError for anything else, however it is broken.

    Stricter than the standard library: NaN and infinities are refused (no database takes them), as are
    texts nested too deeply. Lone surrogates (`"\\ud83d"` without its other half), which neither Parquet nor
    SQL can hold, become U+FFFD.
    """
    text = content.decode("utf-8-sig")
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        return _without_lone_surrogates(value) if "\\ud" in text or "\\uD" in text else value
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _without_lone_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_lone_surrogates(key): _without_lone_surrogates(item) for key, item in value.items()}
    return value
