"""Keeps credentials out of messages, logs and landed files: the one redaction of the platform.

`redact` knows names (`app_key=…`, `https://user:password@host`) and serves messages about addresses of any kind.
`redact_values` knows values, and finds them in every encoding in which a server may echo them.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from include.security.quoting import printable, shortened

SECRET_PARAMETERS = frozenset(
    {
        "app_id", "app_key", "api_key", "apikey", "api-key", "key", "token", "access_token", "refresh_token", "auth",
        "password", "passwd", "pwd", "secret", "client_secret", "signature", "sig", "x-amz-signature",
        "x-amz-credential", "x-amz-security-token", "x-goog-signature", "x-goog-credential",
    }
)  # fmt: skip
"""Query parameters whose value is never shown, whatever the source; compared in lower case."""

REDACTED = "REDACTED"

LONG_VALUE = 8
"""A secret of this many characters is taken out wherever it stands; a shorter one could be part of any word."""
MAX_URL_CHARACTERS = 500

_NAMES = "|".join(sorted(map(re.escape, SECRET_PARAMETERS), key=len, reverse=True))
_ENCODED = r"%(?:25){0,4}"
_NAMED_VALUE = re.compile(
    rf"(?i)(?:(?<![a-z0-9_-])|(?<=%[0-9a-f]{{2}})|(?<=%25[0-9a-f]{{2}}))({_NAMES})"
    rf"(?:(=|[\"'] ?: ?[\"'])[^&\s\"'\\<>]*|({_ENCODED}3d)(?:(?!{_ENCODED}26)[^&\s\"'\\<>])*+)"
)
_URL_PASSWORD = re.compile(r"(://[^\s:/@?#]{0,200}):[^\s/?#]{0,1000}@")


def redact(text: str) -> str:
    """The text without the value of any secret parameter, and without passwords of URLs.

    `…?app_key=abc&ingr=x` becomes `…?app_key=REDACTED&ingr=x`, `postgresql://me:abc@host/` loses the `abc`.
    """
    return _NAMED_VALUE.sub(rf"\1\2\3{REDACTED}", _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text))


def redact_values(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret replaced by `REDACTED`, however it is written.

    Each of its characters may stand as it is, percent-encoded (in either case, several times over), form-encoded,
    as an escape of JSON or of HTML; the whole also in base64, with other text before and after. Secrets shorter than
    `LONG_VALUE` are replaced only where they are no part of a longer word; empty ones are passed over.
    """
    pattern = _pattern(frozenset(secrets) - {""})
    return pattern.sub(REDACTED, text) if pattern else text


def secret_values(url: str) -> frozenset[str]:
    """The values of the secret parameters in the query of a URL, for `redact_values`."""
    try:
        query = urlsplit(url).query
        return frozenset(value for name, value in parse_qsl(query) if name.lower() in SECRET_PARAMETERS)
    except ValueError:
        return frozenset()


def safe_url(url: str) -> str:
    """A URL fit for messages: printable and short, without user name, password, fragment and secret parameters."""
    try:
        parts = urlsplit(url)
        address = parts.netloc.rsplit("@", 1)[-1]
    except ValueError:
        return "(an address that cannot be read)"
    return shortened(
        printable(redact(urlunsplit((parts.scheme, address, parts.path, parts.query, "")))), MAX_URL_CHARACTERS
    )


class RedactingFilter(logging.Filter):
    """Rewrites log records of the HTTP libraries, which quote every URL, and headers as servers send them.

    `secrets` may grow after the filter is made. Tracebacks are left out: their last lines are such quotes.
    """

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record's message; every record is kept."""
        message = redact(redact_values(record.getMessage(), self._secrets))
        record.msg, record.args = shortened(printable(message), 2 * MAX_URL_CHARACTERS), None
        record.exc_info = record.exc_text = None
        return True

    def attach(self) -> None:
        """Put the filter on every logger of the libraries that exists; filters of a parent do not see a child's."""
        for logger in _library_loggers():
            logger.addFilter(self)

    def detach(self) -> None:
        """Take it off again."""
        for logger in _library_loggers():
            logger.removeFilter(self)


def _library_loggers() -> list[logging.Logger]:
    names = [name for name in list(logging.root.manager.loggerDict) if name.split(".")[0] in ("urllib3", "requests")]
    return [logging.getLogger(name) for name in names]


@lru_cache(maxsize=64)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    # The longest first: a secret may begin with another one.
    forms = [form for secret in sorted(secrets, key=lambda value: (-len(value), value)) for form in _forms(secret)]
    return re.compile("|".join(forms)) if forms else None


def _forms(secret: str) -> list[str]:
    """Patterns of the ways to write a secret."""
    written = "".join(map(_character, secret))
    if len(secret) >= LONG_VALUE:
        return [written, *_in_base64(secret)]
    # What ends in a letter or a digit and still is no word: %3D, %253D, \u003d and their like.
    before = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=%25[0-9A-Fa-f]{2})|(?<=%2525[0-9A-Fa-f]{2})"
    before += r"|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\[nrtbf]))"
    return [before + written + r"(?![A-Za-z0-9])", *_in_base64(secret)]


def _character(character: str) -> str:
    """A pattern of the ways to write one character."""
    number = ord(character)
    percent = quote(character, safe="", errors="replace")
    if not percent.startswith("%"):
        percent = f"%{number:02X}"
    escapes = [
        re.escape(character),
        percent.replace("%", "%(?:25){0,4}"),
        re.escape(json.dumps(character)[1:-1]),
        rf"\\u{number:04x}" if number < 0x10000 else "",
        f"&#0{{0,6}}{number};",
        f"&#x0{{0,6}}{number:x};",
    ]
    if (named := html.escape(character)) != character:
        escapes.append(re.escape(named))
    if character == "/":
        escapes.append(r"\\/")
    if character == " ":
        escapes.append(r"\+")
    # The letters of escapes are of either case; the character itself, which may begin one of them, is not.
    plain, *others = dict.fromkeys(escape for escape in escapes if escape)
    return f"(?:(?i:{'|'.join(others)})|{plain})"


def _in_base64(secret: str) -> list[str]:
    """Patterns of a secret inside base64: what it becomes at each of the three places where it can begin."""
    content = secret.encode("utf-8", "replace")
    found = []
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + content).decode()
        # Only the characters that no neighbour has a part in.
        core = encoded[-(-8 * offset // 6) : 8 * (offset + len(content)) // 6]
        if len(core) >= LONG_VALUE:
            found.append(
                re.escape(core).replace(r"\+", "+").replace("+", "(?:[+-]|%2[Bb])").replace("/", "(?:[/_]|%2[Ff])")
            )
    return found
