"""Texts that a pattern finds hard: made of what it looks for, many times over, and nearly matching."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_MOST_PIECES = 20
_MOST_SAMPLES = 6
_NO_MATCH = "\x01"
_CHARACTERS = 'a0 _-A.<&;:\n"\\/é\u200b'
"""Of a class the first two of these that it has, else those it names."""
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)

Text = Callable[[int], str]
"""From a number of repetitions to the text."""


def hostile_texts(pattern: re.Pattern[Any]) -> list[tuple[str, Text]]:
    """Each text with a name; pieces come from the parsed pattern, as far as it is read here."""
    parsed = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    pieces = _spread(dict.fromkeys(piece for piece in _pieces(parsed) if piece), _MOST_PIECES)
    texts: list[tuple[str, Text]] = []
    for piece in pieces:
        texts.append((f"{piece!r} × n", lambda n, piece=piece: piece * n))
        texts.append((f"{piece!r} × n and no match", lambda n, piece=piece: " " + piece * n + _NO_MATCH))
    for before, piece in _spread(dict.fromkeys(_repeated(parsed, "")), _MOST_PIECES):
        texts.append((f"{before!r} + {piece!r} × n", lambda n, b=before, p=piece: b + p * n + _NO_MATCH))
        texts.append((f"({before!r} + {piece!r} × 3) × n", lambda n, b=before, p=piece: (b + p * 3) * n))
    return texts


def _pieces(parsed: Any) -> Iterator[str]:
    """Matches of parts: every beginning of the sequence, and the parts of its parts."""
    started = ""
    for code, value in parsed:
        for sample in _samples(code, value):
            yield sample
            yield started + sample
        started += next(iter(_samples(code, value)), "")
        for inner in _inside(code, value):
            yield from _pieces(inner)


def _repeated(parsed: Any, before: str) -> Iterator[tuple[str, str]]:
    """What stands before each repetition, and what is repeated."""
    for code, value in parsed:
        if code in _REPEATS:
            yield from ((before, sample) for sample in _sequences(value[2]) if sample)
        for inner in _inside(code, value):
            yield from _repeated(inner, before)
        before += next(iter(_samples(code, value)), "")


def _inside(code: Any, value: Any) -> Sequence[Any]:
    if code is codes.BRANCH:
        return _spread(value[1], _MOST_SAMPLES)
    if code is codes.SUBPATTERN:
        return [value[3]]
    if code in _REPEATS:
        return [value[2]]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [value[1]]
    return [value] if code is codes.ATOMIC_GROUP else []


def _samples(code: Any, value: Any) -> list[str]:
    """A few texts that match a part."""
    if code in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY):
        return [chr(value) if code is codes.LITERAL else "b" if value == ord("a") else "a"]
    if code is codes.IN:
        return _members(value)
    if code in _REPEATS:
        least, most, item = value
        return [sample * max(least, min(most, 1)) for sample in _sequences(item)]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [""]
    return [sample for inner in _inside(code, value) for sample in _sequences(inner)]


def _sequences(parsed: Any) -> list[str]:
    """A few matches of a sequence of parts."""
    found = [""]
    for code, value in parsed:
        samples = _samples(code, value) or [""]
        found = _spread([start + sample for start in found for sample in samples], _MOST_SAMPLES)
    return found


def _members(items: Sequence[Any]) -> list[str]:
    named = [chr(value if code is codes.LITERAL else value[0]) for code, value in items if code is not codes.NEGATE
             and code is not codes.CATEGORY]  # fmt: skip
    found = [one for one in (*_CHARACTERS, *named) if _is_member(one, items)]
    return found[:2]


def _is_member(character: str, items: Sequence[Any]) -> bool:
    is_negated = items[0][0] is codes.NEGATE
    is_inside = any(_is_one(character, code, value) for code, value in items)
    return is_inside != is_negated


def _is_one(character: str, code: Any, value: Any) -> bool:
    if code is codes.LITERAL:
        return ord(character) == value
    if code is codes.RANGE:
        return bool(value[0] <= ord(character) <= value[1])
    if code is codes.CATEGORY:
        name = str(value).rsplit("_", 1)[1].lower()
        is_kind = {"digit": str.isdecimal, "space": str.isspace, "word": lambda one: one.isalnum() or one == "_"}[name]
        return bool(is_kind(character)) != ("_NOT_" in str(value))
    return False


def _spread(found: Any, most: int) -> list[Any]:
    """At most so many, from all over the list."""
    listed = list(found)
    return listed if len(listed) <= most else [listed[number * len(listed) // most] for number in range(most)]
