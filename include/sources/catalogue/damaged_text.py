"""Detection of text that was decoded in the wrong encoding, as opposed to unusual text.

Two things happen in the field. *Double encoding*: UTF-8 read as Windows-1252 and saved as UTF-8 again
("Â±" for "±"); nothing is lost, the file has to be saved again. *Lost characters*: U+FFFD in the place of a
letter, itself often double encoded ("ï¿½"); the letters are gone and the rest is still of use.
"""

from __future__ import annotations

import re

from ftfy import fix_encoding
from ftfy.badness import is_bad

LOST = "\N{REPLACEMENT CHARACTER}"

_LOST_RUN = re.compile("(?:ï¿½)+(?:ï¿?$)?|ï¿$|\N{REPLACEMENT CHARACTER}+")
_NOT_ASCII_RUN = re.compile(r"[^\x00-\x7f]+")
_EXAMPLE_CHARACTERS = 20
LONG_RUN = 3
"""Letters with accents in a row: not in Western European words, always where another script was misread."""


class EncodingEvidence:
    """Counts of a file's characters outside ASCII by which a wrong encoding is detected; constant memory."""

    def __init__(self) -> None:
        self.not_ascii = 0
        self.double_encoded = 0
        self.in_long_runs = 0
        self.first_double_encoded = (0, "")
        """Line and text of the first example; line 0 if there is none."""
        self.first_long_run = 0

    def feed(self, line: int, text: str) -> None:
        """Take one line of the file; lost characters are not counted."""
        if text.isascii():
            return
        for run in _NOT_ASCII_RUN.findall(_replace_lost(text, "")):
            self.not_ascii += len(run)
            if len(run) >= LONG_RUN:
                self.in_long_runs += len(run)
                self.first_long_run = self.first_long_run or line
            if is_bad(run) and fix_encoding(run) != run:  # the first alone is quicker and finds more
                self.double_encoded += len(run)
                if not self.first_double_encoded[0]:
                    self.first_double_encoded = (line, run[:_EXAMPLE_CHARACTERS])

    @property
    def is_double_encoded(self) -> bool:
        """Whether at least half of the characters outside ASCII are pieces of UTF-8 shown one by one."""
        return 2 * self.double_encoded >= self.not_ascii > 0 and self.double_encoded > 0

    @property
    def is_another_script(self) -> bool:
        """Whether at least half of the characters outside ASCII are in runs that no Western word has."""
        return 2 * self.in_long_runs >= self.not_ascii > 0


def mark_lost_characters(text: str) -> str:
    """The text with each run of lost characters as one U+FFFD: `Nestlï¿½ï¿½` becomes `Nestl` and U+FFFD."""
    return _replace_lost(text, LOST)


def _replace_lost(text: str, replacement: str) -> str:
    # Nearly all text has none, and looking for two characters is far quicker than the pattern.
    return _LOST_RUN.sub(replacement, text) if "ï¿" in text or LOST in text else text
