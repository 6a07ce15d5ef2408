"""Text that went through the wrong encoding once: found, and told apart from text that only looks odd.

Two things happen in the field. *Double encoding*: UTF-8 read as Windows-1252 and saved as UTF-8 again
("Â±" for "±"); nothing is lost, the file has to be saved anew. *Lost characters*: U+FFFD stands where a
letter was, itself often double encoded ("ï¿½"); the letters are gone and the rest is still of use.
"""

from __future__ import annotations

import re

LOST = "\N{REPLACEMENT CHARACTER}"

_AS_BYTE = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)}
"""Byte to the character that a Windows program shows for it."""


def _characters(*ranges: tuple[int, int]) -> str:
    return "[" + re.escape("".join(_AS_BYTE[byte] for low, high in ranges for byte in range(low, high + 1))) + "]"


_FOLLOWING = _characters((0x80, 0xBF))
# Lead bytes of Latin, Greek, Cyrillic, Arabic and, with two or three following bytes, everything above.
# C6 to CD and D2 to D7 are left out: as characters they end French words in capitals ("CAFÉ»").
_TWO = _characters((0xC2, 0xC5), (0xCE, 0xD1), (0xD8, 0xD9)) + _FOLLOWING
_DOUBLE_ENCODED = re.compile(
    f"{_TWO}|{_characters((0xE0, 0xEF))}{_FOLLOWING}{{2}}|{_characters((0xF0, 0xF4))}{_FOLLOWING}{{3}}"
)
_LOST_RUN = re.compile("(?:ï¿½)+(?:ï¿?$)?|ï¿$|\N{REPLACEMENT CHARACTER}+")
_NOT_ASCII_RUN = re.compile(r"[^\x00-\x7f]+")
LONG_RUN = 3
"""Letters with accents in a row: not in Western European words, always where another script was misread."""


class EncodingEvidence:
    """What the characters outside ASCII say about the encoding a file was read in; constant memory."""

    def __init__(self) -> None:
        self.not_ascii = 0
        self.double_encoded = 0
        self.in_long_runs = 0
        self.first_double_encoded = (0, "")
        """Line and text of the first example; line 0 if there is none."""
        self.first_long_run = 0

    def feed(self, line: int, text: str) -> None:
        """Take one line of the file; lost characters say nothing and are not counted."""
        if text.isascii():
            return
        for run in _NOT_ASCII_RUN.findall(_replace_lost(text, "")):
            self.not_ascii += len(run)
            if len(run) >= LONG_RUN:
                self.in_long_runs += len(run)
                self.first_long_run = self.first_long_run or line
            for match in _DOUBLE_ENCODED.finditer(run):
                self.double_encoded += len(match.group())
                if not self.first_double_encoded[0]:
                    self.first_double_encoded = (line, match.group())

    @property
    def is_double_encoded(self) -> bool:
        """Whether at least half of the characters outside ASCII are pieces of UTF-8 shown one by one."""
        return 2 * self.double_encoded >= self.not_ascii > 0 and self.double_encoded > 0

    @property
    def is_another_script(self) -> bool:
        """Whether at least half of the characters outside ASCII stand in runs that no Western word has."""
        return 2 * self.in_long_runs >= self.not_ascii > 0


def mark_lost_characters(text: str) -> str:
    """The text with each run of lost characters as one U+FFFD: `Nestlï¿½ï¿½` becomes `Nestl` and U+FFFD."""
    return _replace_lost(text, LOST)


def _replace_lost(text: str, replacement: str) -> str:
    # Nearly all text has none, and looking for two characters is far quicker than the pattern.
    return _LOST_RUN.sub(replacement, text) if "ï¿" in text or LOST in text else text
