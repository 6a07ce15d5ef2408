"""What is read of a product: its name, brand, description and ingredients as one clean text.

`clean_text` removes what says nothing about the product: HTML entities and tags, allergen underscores
(`_sulfites_`), a marketplace's sales phrases, invisible characters. It never raises, and cleaning a
clean text changes nothing, so that the hash of a document is a stable key for its embedding.
"""

from __future__ import annotations

import html
import re
import unicodedata

CLEANING_VERSION = "1"
"""Part of every text encoder's identity: raise it when the same raw text would give another document."""

MAX_FIELD_CHARACTERS = 20_000
"""Characters of one raw field that are looked at: bounds the work that one hostile record can cause."""

MAX_DOCUMENT_CHARACTERS = 4_000
"""Characters of a document: about 600 words, ten times the usual; the rest says nothing new."""

_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
_NESTED_AMPERSAND = re.compile(r"&(?:amp;)+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_ALLERGEN = re.compile(r"(?<![^\W_])_+([^_]{1,80}?)_+")

_SALES_PHRASES = re.compile(
    r"""(?:
    \bkey\ features\ of\b
    | \bspecifications\ of\b
    | \b(?:flipkart\.com:\ )?buy\b(?=[^\n]{1,300}?(?:\brs\.|flipkart\.com|\bonline\b))
    | \balso\ get\b.{1,300}?\bspecifications\ &\ features
    | (?:\b(?:online|only|price:|for|at)\ )*\brs\.\ ?[\d,]+(?:\.\d+)?(?:\ (?:online|only|in\ india)\b)*
    | (?:\b(?:online|only|from|at|in\ india)\ )*\bflipkart\.com:?
    | \bat\ (?:the\ )?best\ prices?\ with\ free\ shipping\ &\ cash\ on\ delivery
    | \bgreat\ discounts\b
    | \blowest\ prices\b
    | \bonly\ genuine\ products\b
    | \b\d+\ day\ replacement\ guarantee\b
    | \bfree\ shipping\b
    | \bcash\ on\ delivery\b
    )[ .,!-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_SALES_SIGNS = ("rs.", "flipkart", "key features of", "specifications of", "genuine products", "free shipping")
"""Lower-case pieces without which no sales phrase is looked for: most texts have none, and `in` is quick."""
_EDGES = " ,;:-|"
_WORK_SIGNS = ("&", "<", "_", "  ", "\u034f")
"""Pieces of text that may have to go: entities, tags, allergens, gaps, and the one invisible mark that is printable."""


def clean_text(text: str | None) -> str:
    """One raw field as plain text on one line, in Unicode NFC; "" for None.

    Any text goes in, lone surrogates included; out comes at most `MAX_DOCUMENT_CHARACTERS` characters that
    can be encoded as UTF-8. `clean_text(clean_text(x)) == clean_text(x)`.
    """
    if not text:
        return ""
    if _is_clean(text):
        return text
    current = text[:MAX_FIELD_CHARACTERS]
    # One pass can uncover work for the next (`&amp;lt;b&amp;gt;`). A pass that changes a text again after the
    # first shortens it, so this ends.
    while (cleaned := _clean_once(current)) != current:
        current = cleaned
    return _shorten(current)


def document(name: str | None, brand: str | None, description: str | None, ingredients: str | None) -> str:
    """The text of a product that encoders read: one line per field that says something; "" when none does.

    A field that only repeats an earlier one is left out (`Moët & Chandon` after
    `Moët & Chandon Brut Impérial`).
    """
    lines: list[str] = []
    said = ""
    for field in (name, brand, description, ingredients):
        line = clean_text(field)
        folded = line.casefold()
        if line and folded not in said:
            lines.append(line)
            said += "\n" + folded
    return _shorten("\n".join(lines))


def _is_clean(text: str) -> bool:
    """Whether it is plain to see that nothing has to be done to a text, as with most; False where it is not plain."""
    return (
        len(text) <= MAX_DOCUMENT_CHARACTERS
        and text.isprintable()  # no control characters, and no gaps but single spaces
        and not any(sign in text for sign in _WORK_SIGNS)
        and text[0] not in _EDGES
        and text[-1] not in _EDGES
        and (text.isascii() or unicodedata.is_normalized("NFC", text))
        and not _has_sales_sign(text)
    )


def _has_sales_sign(text: str) -> bool:
    lowered = text.lower()
    return any(sign in lowered for sign in _SALES_SIGNS)


def _clean_once(text: str) -> str:
    if "&" in text:
        text = html.unescape(_NESTED_AMPERSAND.sub("&", text))
    text = _INVISIBLE.sub("", _CONTROL.sub(" ", text))
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "_" in text:
        text = _ALLERGEN.sub(r"\1", text).replace("_", " ")
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if _has_sales_sign(text):
        text = " ".join(_SALES_PHRASES.sub(" ", text).split())
    return text.strip(_EDGES)


def _shorten(text: str) -> str:
    """At most `MAX_DOCUMENT_CHARACTERS` characters, cut between words where there is a gap."""
    if len(text) <= MAX_DOCUMENT_CHARACTERS:
        return text
    start = text[: MAX_DOCUMENT_CHARACTERS + 1]
    gap = max(start.rfind(" "), start.rfind("\n"))
    return start[: gap if gap > 0 else MAX_DOCUMENT_CHARACTERS].rstrip(_EDGES + "\n")
