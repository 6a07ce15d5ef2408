"""Ways to write champagne so that people read it and programs may not."""

from __future__ import annotations

_INVISIBLE = [
    "\u00ad", "&shy;", "&#173;", "&#xAD;", "&amp;shy;", "\u034f", "\u061c", "\u115f", "\u1160", "\u17b4", "\u180e",
    "\u200b", "&ZeroWidthSpace;", "\u200c", "\u200d", "\u200e", "\u200f", "&lrm;", "\u202a", "\u202c", "\u202e",
    "\u2060", "&NoBreak;", "\u2063", "\u2066", "\u206f", "\u3164", "\ufe00", "\ufe0f", "\ufeff", "\uffa0", "\ufff9",
    "\U0001d173", "\U000e0001", "\U000e0061", "\U000e007f", "\U000e0100", "\u00ad\u200b\ufeff", "\u0336", "\u20dd",
    "\x00", "\x7f", "\x9f",
]  # fmt: skip
_FULL_WIDTH = {ord(letter): ord(letter) - ord("a") + ord("\uff41") for letter in "abcdefghijklmnopqrstuvwxyz"}
_BOLD = {ord(letter): ord(letter) - ord("a") + 0x1D41A for letter in "abcdefghijklmnopqrstuvwxyz"}

HIDDEN_SPELLINGS = [
    *(f"cham{hidden}pagne" for hidden in _INVISIBLE),
    "\u200bchampagne\u200b",
    "\u00ad".join("champagne"),
    "champagne".translate(_FULL_WIDTH),
    "champagne".translate(_BOLD),
    "𝒸𝒽𝒶𝓂𝓅𝒶ℊ𝓃ℯ",
    "cham" + "pagne".translate(_FULL_WIDTH),
]
"""All of them are `champagne`."""
