"""Text from outside, made fit for a message, a log or on a terminal."""

from __future__ import annotations

import unicodedata

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that steer terminals and text direction, or stand for nothing."""

QUOTED_CHARACTERS = 120


def printable(text: str, keep: str = "") -> str:
    """The text with control and format characters replaced by U+FFFD, e.g. escapes that would colour a terminal.

    `keep` lists characters that stay, e.g. the line end.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if character in keep or unicodedata.category(character) not in _UNPRINTABLE else "\ufffd"
        for character in text
    )


def shortened(text: str, characters: int = QUOTED_CHARACTERS) -> str:
    """At most so many characters of a text, with `…` where the rest was."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula, in full width as well."""


def spreadsheet_safe(text: str) -> str:
    """A text as a cell of CSV that no spreadsheet takes for a formula: `=cmd|…` becomes `'=cmd|…`.

    What follows a separator or a quotation mark inside the text is the CSV writer's to quote.
    """
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
