"""No text makes a pattern of the product work more than in proportion to its length."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.patterns.growth import grows_too_fast
from tests.patterns.hostile_texts import hostile_texts
from tests.patterns.product_patterns import patterns_in_source, product_files, uses

MADE_WHEN_RUNNING = {
    "include/sources/edamam.py:_scrubbed": "a key of our own, escaped",
    "include/sources/openfoodfacts_record.py:_localised": "the name of a field and two letters, matched as a whole",
    "include/security/redaction.py:_pattern": "keys and passwords of our own, escaped",
    "include/security/redaction.py:redact_values": "keys and passwords of our own, escaped",
    "include/models/search/spaces.py:holds": "ours, and so is what it is matched with",
}
"""Patterns that are no constants; what they are made of comes from us."""
NASTY = ["<!--", "_", "a_", "at ", "at rs. ", "buy ", "only ", "free ", "&", "&#", "&#0", "1", " ", "\n", "\t \n", "\\",
         "{", "[", '"', "<a ", "://", "${a:-", " extra brut", "\u0301", "\u200b", "é", "="]  # fmt: skip


def too_slow(pattern: re.Pattern[Any], methods: tuple[str, ...]) -> list[str]:
    """The texts on which a pattern takes more than its time."""
    nasty = [(repr(piece), lambda n, piece=piece: piece * n) for piece in NASTY]
    return [
        f"{method} in {name}: {measured}"
        for method, use in uses(pattern, methods)
        for name, text_of in [*hostile_texts(pattern), *nasty]
        if (measured := grows_too_fast(use, text_of))
    ]


def test_every_pattern_takes_time_in_proportion_to_the_text() -> None:
    found = [one for one in patterns_in_source() if one.pattern]
    assert len(found) > 50
    tried = {(one.pattern, one.methods): one.place for one in found}
    slow = {
        place: told for (pattern, methods), place in tried.items() if pattern and (told := too_slow(pattern, methods))
    }
    assert slow == {}


def test_patterns_are_written_where_they_are_found() -> None:
    unknown = {one.place for one in patterns_in_source() if one.pattern is None} - set(MADE_WHEN_RUNNING)
    assert unknown == set(), "write it as a constant, or say in MADE_WHEN_RUNNING why no text from outside is in it"
    hidden = [
        path.name for path in product_files() if re.search(r"from re import|import re as", path.read_text("utf-8"))
    ]
    assert hidden == [], "call patterns as re.…, so that they are found here"


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        (r"<!--.*?-->", re.DOTALL),
        (r"(?<![^\W_])_+([^_]{1,80}?)_+", 0),
        (r"(?:\b(?:online|only|at)\ )*\brs\.\ ?\d+", 0),
        (r"\s*x", 0),
        (r"\$\{([a-z]+)(?::-([^}]*))?\}", 0),
        (r"(?:^|\n)\s*([a-z]+):", 0),
        (r"^(?: (?:extra|extra brut|brut|\d\w*))+ $", 0),
        (r"(?:a+)+b", 0),
        (r"(?:\w|a\w?)+-", 0),
    ],
)
def test_a_pattern_that_takes_more_is_found(pattern: str, flags: int) -> None:
    compiled = re.compile(pattern, flags)
    assert any(grows_too_fast(compiled.search, text_of) for _, text_of in hostile_texts(compiled))


@pytest.mark.parametrize("pattern", [r"<!--.{0,50}-->", r"(?<!_)_++[^_]{1,80}+_++", r"\b[a-z]++\d", "x"])
def test_a_pattern_in_proportion_is_left_in_peace(pattern: str) -> None:
    assert too_slow(re.compile(pattern), ("search",)) == []
