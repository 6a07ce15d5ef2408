"""The terminal of the command line, which shows text from outside as text."""

from __future__ import annotations

import logging
from typing import Any

from rich.console import Console
from rich.text import Text

from include.security.quoting import printable
from include.security.redaction import redact


class PlainConsole(Console):
    """Reads no markup, no emoji codes and no control characters in what it prints; style is given by `Text` alone.

    Names of products and words of servers come here: `[/b]` would break a message, an escape would steer the terminal.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Text without control characters, for all strings that are printed, cells of tables included."""
        return super().render_str(printable(text, keep="\n\t"), **options)


class PlainFormatter(logging.Formatter):
    """Writes log records without control characters and without the values of secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, its traceback included."""
        return printable(redact(super().format(record)), keep="\n\t")
