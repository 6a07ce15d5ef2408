"""Keeps credentials out of messages, logs and landed files.

Edamam takes its credentials in the query of the URL and repeats them in its answers, so every URL that
leaves the client's hands passes through here.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit, urlunsplit

SECRET_PARAMETERS = frozenset({"app_id", "app_key", "api_key", "apikey", "key", "token", "password", "signature"})
"""Query parameters whose value is never shown, whatever the source; compared in lower case."""

REDACTED = "REDACTED"

_QUERY_SECRET = re.compile(rf"(?i)\b({'|'.join(sorted(SECRET_PARAMETERS))})=[^&\s\"'\\<>]*")


def redact(text: str) -> str:
    """The text with the value of every secret query parameter replaced: `…?app_key=REDACTED&ingr=x`."""
    return _QUERY_SECRET.sub(rf"\1={REDACTED}", text)


def safe_url(url: str) -> str:
    """A URL fit for messages: without user name, password and fragment, secret parameters replaced."""
    try:
        parts = urlsplit(url)
        address = parts.netloc.rsplit("@", 1)[-1]
    except ValueError:
        return "(an address that cannot be read)"
    return redact(urlunsplit((parts.scheme, address, parts.path, parts.query, "")))


class RedactingFilter(logging.Filter):
    """Rewrites log records of the HTTP library, which names every URL at debug level."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record's message; every record is kept."""
        message = record.getMessage()
        cleaned = redact(message)
        if cleaned != message:
            record.msg, record.args = cleaned, None
        return True


_FILTER = RedactingFilter()


def protect_http_logs() -> None:
    """Make the HTTP library's own loggers redact; calling it again changes nothing."""
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_FILTER)
