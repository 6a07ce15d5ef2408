"""The visible text: invisible characters removed, styled letters plain, HTML entities decoded.

All code that reads texts uses this module, so that a word is the same to the champagne filter, to the row rules, to the
written rules and to the encoders, whether it is written `champagne`, `cham&shy;pagne`, with a zero-width space inside,
or in full-width letters. Any text goes in, of any length; the time taken grows with its length.
"""

from __future__ import annotations

import html
import re
import unicodedata

CHARACTERS_VERSION = "1"
"""Part of the version of stored text features: raise it when the same text would give another visible text.

Not part of an encoder's identity: its vectors depend on its documents alone, and
documents of ordinary spelling stay as they are.
"""

# Direction overrides make text read otherwise than it is stored (U+202E in a file name is an old trick).
# Direction marks, embeddings and isolates are ordinary in Arabic and Hebrew and stay.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ud800-\udfff\ufffe\uffff]")
"""Characters that no text of a product may hold: a record with one is set aside."""
MAX_ADDRESS_CHARACTERS = 2_000
"""A longer address is none: no browser takes it."""

_PRESENTATION_SELECTORS = "\ufe0e\ufe0f"
"""After a sign they choose between text and emoji: part of how the sign is ordinarily written."""
_IGNORABLE = (
    # Unicode's property Default_Ignorable_Code_Point without the two selectors above, and annotation marks.
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_CONTROLS_BUT_WHITE_SPACE = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_INVISIBLE = f"{_CONTROLS_BUT_WHITE_SPACE}{_IGNORABLE}\ufffe\uffff\ud800-\udfff"
"""Invisible characters that do not separate words, for a character class."""
_STYLED = (
    # Full-width letters and digits; mathematical ones, with those of older blocks that fill their gaps. Signs that
    # texts ordinarily use (the litre's U+2113, full-width punctuation) are left.
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff"
    "\u2102\u210a-\u210d\u210e\u2110-\u2112\u2115\u2119-\u211d\u2124\u2128\u212c\u212d\u212f-\u2131\u2133\u2134"
)
_STRUCK_THROUGH = "\u0334-\u0338\u0488\u0489\u20d2\u20d3\u20d8-\u20da\u20dd-\u20e0\u20e2-\u20e6\u20ea\u20eb"
"""Marks that lie over a letter or around it."""

_HIDING = re.compile(
    f"[{_INVISIBLE}{_STYLED}]|(?<=[^\\W_])[{_STRUCK_THROUGH}]+|(?<![^\\w\\s])[{_PRESENTATION_SELECTORS}](?!\u20e3)"
)
_STYLED_LETTER = re.compile(f"[{_STYLED}]")
_MAY_HIDE = re.compile(f"[{_INVISIBLE}{_STYLED}{_STRUCK_THROUGH}{_PRESENTATION_SELECTORS}]")
_HIDDEN_IN_LATIN_1 = bytes(code for code in range(256) if _MAY_HIDE.match(chr(code)))
_SEEN = re.compile(f"[^\\s{_INVISIBLE}{_PRESENTATION_SELECTORS}]")
_LETTER_OR_DIGIT = re.compile("[^\\W_\u115f\u1160\u3164\uffa0]")  # what Unicode counts as letters without a sign

_NESTED_AMPERSAND = re.compile(r"&(?:(?:amp|#0*+38|#x0*+26);)++", re.IGNORECASE)
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{7,}+);?")
_MOST_DIGITS = 7
"""Digits of the largest code point, 1114111; in base 16 there are six."""


def is_usable_address(text: str) -> bool:
    """Whether the address of a page or a photo can be kept: it is short, and without forbidden characters."""
    return len(text) <= MAX_ADDRESS_CHARACTERS and FORBIDDEN.search(text) is None


def decode_entities(text: str) -> str:
    """The text with HTML entities decoded: `caf&eacute;` and `caf&amp;eacute;` are `café`.

    As `html.unescape`, which cannot read numbers of more than 4,300 digits.
    """
    if "&" not in text:
        return text
    text = _NESTED_AMPERSAND.sub("&", text)
    if "&#" in text:
        text = _LONG_REFERENCE.sub(_shortened, text)
    return html.unescape(text)


def _shortened(found: re.Match[str]) -> str:
    """A numeric reference without zeros in front; U+FFFD for a number above all code points, as HTML has it."""
    number = found[0][2:].rstrip(";")
    is_hexadecimal = number[0] in "xX"
    digits = number[is_hexadecimal:].lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS - is_hexadecimal:
        return "\ufffd"
    return f"&#{'x' if is_hexadecimal else ''}{digits};"


def reveal(text: str) -> str:
    """The text without what is invisible in it, and with plain letters for styled ones.

    `cham\u00adpagne` with a soft hyphen and `ｃｈａｍｐａｇｎｅ` are `champagne`; `100 ℓ` and emoji stay as they are.
    """
    return _HIDING.sub(_plain, text) if may_hide_something(text) else text


def may_hide_something(text: str) -> bool:
    """Whether a text has characters that `reveal` changes, at least beside certain others."""
    try:
        western = text.encode("latin-1")
    except UnicodeEncodeError:
        return _MAY_HIDE.search(text) is not None
    return len(western.translate(None, _HIDDEN_IN_LATIN_1)) < len(western)  # most texts; a hundred times as fast


def is_invisible(character: str) -> bool:
    """Whether a character is invisible and does not separate words, as white space does."""
    return not character.isspace() and _SEEN.match(character) is None


def is_blank(text: str) -> bool:
    """Whether a text has no visible character: it is empty, white space or invisible characters, as entities too."""
    first = text[:1]
    if "!" <= first <= "~" and first != "&":  # most texts
        return False
    return _SEEN.search(decode_entities(text)) is None


def has_letters_or_digits(text: str | None) -> bool:
    """Whether a text has a visible letter or digit."""
    return bool(text) and _LETTER_OR_DIGIT.search(decode_entities(text or "")) is not None


def _plain(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", found[0]) if _STYLED_LETTER.match(found[0]) else ""
