"""Keeps our own credentials out of what is landed and shown, by their value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

REDACTED = "REDACTED"


def redact_values(text: str, secrets: Iterable[str]) -> str:
    """The text with `REDACTED` for every secret in it, raw or percent-encoded, where it is a word of its own."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    if not any(form in text for form in forms):
        return text
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    words = rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, longest_first))})(?![A-Za-z0-9])"
    return re.sub(words, REDACTED, text)
