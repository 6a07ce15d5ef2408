"""Bounds on how deep a record may be nested, the same on every machine: interpreters' limits differ."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 64
"""Real records are nested less than ten deep."""
TOO_DEEP = "… (nested too deeply)"
"""Replacement of a part that is nested deeper."""
_NESTED = (dict, list, tuple)  # as a union, which is made again each time, it takes three times as long


def is_deeper_than(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether lists and objects are nested more than `depth` deep; looks level by level, without recursion."""
    level = [value] if isinstance(value, _NESTED) else []
    for _ in range(depth):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, _NESTED)
        ]
    return bool(level)


def without_deep_parts(value: Any, depth: int = MAX_DEPTH) -> Any:
    """The value with `TOO_DEEP` in the place of every list and object nested more than `depth` deep."""
    return _cut(value, depth) if is_deeper_than(value, depth) else value


def _cut(value: Any, depth: int) -> Any:
    if not isinstance(value, _NESTED):
        return value
    if depth == 0:
        return TOO_DEEP
    if isinstance(value, dict):
        return {name: _cut(inner, depth - 1) for name, inner in value.items()}
    return [_cut(inner, depth - 1) for inner in value]
