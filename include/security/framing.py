"""What the headers of an answer say about its body and about where it has moved, read strictly.

The libraries below read leniently, each in its own way; what two of them read differently is refused here, so that
nobody takes half a body for a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urljoin

from include.security.quoting import printable, shortened

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_IN_A_URL = re.compile(rb"[^\x21-\x7e]")


def announced_bytes(headers: Mapping[str, str]) -> int | None:
    """The length of the body as sent, or None if it ends with its last chunk or with the connection.

    Raises ValueError, whose message names what is wrong with the headers.
    """
    transfer = headers.get("Transfer-Encoding", "identity").strip().lower()
    if transfer not in ("chunked", "identity"):
        raise ValueError(f"the answer has an unknown transfer encoding, {_quoted(transfer)}")
    announced = headers.get("Content-Length")
    if transfer == "chunked" or announced is None:
        return None
    lengths = {length.strip() for length in announced.split(",")}
    length = lengths.pop()
    if lengths or not re.fullmatch("[0-9]{1,18}", length):
        raise ValueError(f"the answer announces the length {_quoted(announced)}")
    return int(length)


def content_encoding(headers: Mapping[str, str]) -> str:
    """How the body is compressed: `identity` or `gzip`; ValueError for all that was not requested."""
    encoding = headers.get("Content-Encoding", "").strip().lower() or "identity"
    encoding = "gzip" if encoding == "x-gzip" else encoding
    if encoding not in ("identity", "gzip"):
        raise ValueError(f"the answer is encoded as {_quoted(encoding)}, which nobody asked for")
    return encoding


def redirect_target(url: str, headers: Mapping[str, str]) -> str:
    """Where a redirect of `url` leads; ValueError if it does not say so, or not readably.

    Bytes that no URL may hold are percent-encoded, as browsers do.
    """
    # `http.client` reads headers as Latin-1, so this gives the bytes as they were sent.
    location = headers.get("Location", "").strip().encode("latin-1", "replace")
    if not location:
        raise ValueError("the answer redirects to nowhere")
    return urljoin(url, _NOT_IN_A_URL.sub(lambda found: quote(found.group()).encode(), location).decode("ascii"))


def _quoted(text: str) -> str:
    return repr(shortened(printable(text), 40))
