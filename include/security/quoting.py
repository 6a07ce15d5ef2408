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
