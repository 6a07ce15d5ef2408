"""The document of a product: its name, brand, description and ingredients as one clean text.

`clean_text` removes what carries no information about the product: HTML entities and tags, allergen underscores
(`_sulfites_`), a marketplace's sales phrases, invisible characters. It never raises, takes time in proportion to the
text, and cleaning a clean text changes nothing, so that the hash of a document is a stable key for its embedding.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from include.characters import decode_entities, may_hide_something, reveal

CLEANING_VERSION = "1"
"""Part of every text encoder's identity: raise it when texts of ordinary spelling would give other documents.

Invisible and styled characters have a version of their own, `CHARACTERS_VERSION`: handling more of them gives such
texts the documents that the ordinary spelling always had, on which encoders and classifiers were trained already.
"""

MAX_FIELD_CHARACTERS = 20_000
"""Characters of one raw field that are looked at: bounds the work that one hostile record can cause."""

MAX_DOCUMENT_CHARACTERS = 4_000
"""Characters of a document: about 600 words, ten times the usual; more adds no information."""

_TAG = re.compile(r"</?[A-Za-z][^<>]*+>")
_TAG_OR_COMMENT = re.compile(r"</?[A-Za-z][^<>]*+>|<!--.*?(?:-->|\Z)", re.DOTALL)
"""Takes a comment that is not closed for one that goes to the end, or each `<!--` would be followed to the end."""
_SHORTEST_COMMENT = len("<!---->")
_LINE_BREAK = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]")
# An opening run counts from its first underscore, or from its second after a letter, where the first opens nothing.
_ALLERGEN = re.compile(r"_(?:(?<!\w_)|(?<=[^\W_]__))_*+([^_]{1,80}+)_++")

_SALES_PHRASES = re.compile(
    r"""\b(?:
    key\ features\ of\b
    | specifications\ of\b
    | (?:flipkart\.com:\ )?buy\b(?=[^\n]{1,300}?(?:\brs\.|flipkart\.com|\bonline\b))
    | also\ get\b.{1,300}?\bspecifications\ &\ features
    # No start between the words in front: from there on it goes as it went from the first.
    | (?=[opfar])(?<!\bonline\ )(?<!\bonly\ )(?<!\bprice:\ )(?<!\bfor\ )(?<!\bat\ )
      (?:\b(?:online|only|price:|for|at)\ )*+\brs\.\ ?[\d,]+(?:\.\d+)?(?:\ (?:online|only|in\ india)\b)*
    | (?=[ofai])(?<!\bonline\ )(?<!\bonly\ )(?<!\bfrom\ )(?<!\bat\ )(?<!\bin\ india\ )
      (?:\b(?:online|only|from|at|in\ india)\ )*+\bflipkart\.com:?
    | at\ (?:the\ )?best\ prices?\ with\ free\ shipping\ &\ cash\ on\ delivery
    | great\ discounts\b
    | lowest\ prices\b
    | only\ genuine\ products\b
    | \d++\ day\ replacement\ guarantee\b
    | free\ shipping\b
    | cash\ on\ delivery\b
    )[ .,!-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_SALES_SIGNS = ("rs.", "flipkart", "key features of", "specifications of", "genuine products", "free shipping")
"""Lower-case pieces without which no sales phrase is looked for: most texts have none, and `in` is quick."""
_EDGES = " ,;:-|"
_WORK_SIGNS = ("&", "<", "_", "  ")
"""Pieces of text that may have to go: entities, tags, allergens, gaps."""
_PASSES = 8
"""Passes over a text that goes on changing; real ones need two. Texts can be made that need thousands."""
_MOST_MARKS = 30
"""Marks on one letter, as in Unicode's stream-safe format; sorting more takes time in the square of their number."""


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
    # One pass can uncover work for the next (`&amp;lt;b&amp;gt;`).
    for _ in range(_PASSES):
        cleaned = _clean_once(current)
        if cleaned == current:
            return _shorten(current)
        current = cleaned
    return _shorten(_without_work(current))


def document(name: str | None, brand: str | None, description: str | None, ingredients: str | None) -> str:
    """The text of a product that encoders read: one line per field that is not empty; "" when all are.

    A field that only repeats an earlier one is left out (`Moët & Chandon` after
    `Moët & Chandon Brut Impérial`).
    """
    lines: list[str] = []
    seen = ""
    for field in (name, brand, description, ingredients):
        line = clean_text(field)
        # Case folding never shortens: a longer line is not in the lines before.
        if line and (len(line) > len(seen) or line.casefold() not in seen):
            lines.append(line)
            if field is not ingredients:  # the last
                seen += "\n" + line.casefold()
    return _shorten("\n".join(lines))


def _is_clean(text: str) -> bool:
    """Whether it is plain to see that nothing has to be done to a text, as with most; False where it is not plain."""
    return (
        len(text) <= MAX_DOCUMENT_CHARACTERS
        and text.isprintable()  # no control characters, and no gaps but single spaces
        and not any(map(text.__contains__, _WORK_SIGNS))
        and text[0] not in _EDGES
        and text[-1] not in _EDGES
        and (text.isascii() or (not may_hide_something(text) and unicodedata.is_normalized("NFC", text)))
        and not _has_sales_sign(text)
    )


def _has_sales_sign(text: str) -> bool:
    return any(map(text.lower().__contains__, _SALES_SIGNS))


def _clean_once(text: str) -> str:
    text = _LINE_BREAK.sub(" ", decode_entities(text))
    if not (text.isascii() and text.isprintable()):
        text = reveal(text)
    if "<" in text:
        text = _TAG_OR_COMMENT.sub(_without_markup, text)
    if "_" in text:
        text = _ALLERGEN.sub(r"\1", text).replace("_", " ")
    text = " ".join(_composed(text).split())
    if _has_sales_sign(text):
        text = " ".join(_SALES_PHRASES.sub(" ", text).split())
    return text.strip(_EDGES)


def _without_markup(found: re.Match[str]) -> str:
    markup = found[0]
    if markup.startswith("<!--") and not (markup.endswith("-->") and len(markup) >= _SHORTEST_COMMENT):
        return _TAG.sub(" ", markup)  # not closed: text
    return " "


def _composed(text: str) -> str:
    """A text in Unicode NFC, where it is not yet with at most `_MOST_MARKS` marks on one letter."""
    if unicodedata.is_normalized("NFC", text):
        return text
    runs = groupby(text, lambda character: unicodedata.combining(character) != 0)
    text = "".join("".join(run)[: _MOST_MARKS if are_marks else None] for are_marks, run in runs)
    return unicodedata.normalize("NFC", text)


def _without_work(text: str) -> str:
    """What is left of a text that was made to need many passes, such that another pass changes nothing."""
    text = reveal(text.replace("&", " ").replace("<", " "))
    text = " ".join(text.split()).strip(_EDGES)
    lower = "".join(character.lower()[0] for character in text)  # as long as the text, whatever the characters
    sign = min((place for sign in _SALES_SIGNS if (place := lower.find(sign)) >= 0), default=len(text))
    return text[:sign].strip(_EDGES)


def _shorten(text: str) -> str:
    """At most `MAX_DOCUMENT_CHARACTERS` characters, cut between words where there is a gap."""
    if len(text) <= MAX_DOCUMENT_CHARACTERS:
        return text
    start = text[: MAX_DOCUMENT_CHARACTERS + 1]
    gap = max(start.rfind(" "), start.rfind("\n"))
    return start[: gap if gap > 0 else MAX_DOCUMENT_CHARACTERS].rstrip(_EDGES + "\n")
