"""Downloads from addresses that strangers wrote into a product: nothing inside our network is reached.

Every connection passes the guard of `include.security`, a redirect is a new request under the same rules, and
proxies are not used: a proxy would resolve the name again. Size and time are bounded whatever the server does.

urllib3 is used without `requests`, which adds nothing here that is wanted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import certifi
import urllib3
from urllib3 import exceptions

from include.security.addresses import AddressGuard, AddressRefused
from include.security.connections import guard_pools
from include.security.deadline import Deadline
from include.security.framing import REDIRECTS, announced_bytes, redirect_target
from include.security.quoting import printable, shortened
from include.security.redaction import RedactingFilter

__all__ = ["Deadline", "Download", "Downloader"]

logger = logging.getLogger(__name__)

MAX_REDIRECTS = 5
CHUNK_BYTES = 64 * 1024
_ABSENT = (404, 410)
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Download:
    """What came of one download: `ok` with its bytes, or a status of `include.schema.IMAGES` without."""

    status: str
    content: bytes = b""
    transient: bool = False
    """Whether a second try may succeed."""


class Downloader:
    """Downloads small files over http and https; threads may share one."""

    def __init__(
        self,
        headers: Mapping[str, str],
        *,
        allow_private_hosts: bool,
        max_bytes: int,
        timeout_seconds: float,
        threads: int,
    ) -> None:
        """`timeout_seconds` limits connecting and the wait between two pieces, `max_bytes` the file.

        `threads` connections per host are kept for the next download.
        """
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._pools = urllib3.PoolManager(
            headers={**headers, "Accept-Encoding": "identity"},
            retries=False,
            maxsize=threads,
            cert_reqs="CERT_REQUIRED",
            ca_certs=certifi.where(),
        )
        self._filter = RedactingFilter(())
        self._filter.attach()
        guard_pools(self._pools, AddressGuard(allow_private=allow_private_hosts))

    def close(self) -> None:
        """Close idle connections."""
        self._pools.clear()
        self._filter.detach()

    def get(self, url: str, deadline: Deadline) -> Download:
        """Download one file; never raises for what the address or its server is.

        Statuses: `ok`, `not_found`, `too_large`, `private_address`, `timeout`, `unreachable`. A scheme
        other than http or https is `unreachable`.
        """
        try:
            return self._follow(url, deadline)
        except AddressRefused as refused:
            logger.warning("refused the address of a photo: %s", shortened(printable(str(refused))))
            return Download("private_address")
        except Exception as error:  # whatever the library makes of what a stranger wrote or sends
            # A refused connection is, to urllib3, a kind of connection that takes too long.
            slow = isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError)
            malformed = isinstance(error, ValueError)
            logger.debug("photo not downloaded: %s", type(error).__name__)
            return Download("timeout" if slow or not deadline.remaining else "unreachable", transient=not malformed)

    def _follow(self, url: str, deadline: Deadline) -> Download:
        for _ in range(MAX_REDIRECTS + 1):
            limit = min(self._timeout_seconds, deadline.remaining)
            if not limit:
                return Download("timeout")
            response = self._pools.request(
                "GET",
                url,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=limit, read=limit),
            )
            try:
                if response.status not in REDIRECTS:
                    return self._outcome(response, deadline)
                url = redirect_target(url, response.headers)
            finally:
                # Reading on to reuse the connection would give a hostile server what it wants.
                response.close()
        return Download("unreachable")

    def _outcome(self, response: urllib3.BaseHTTPResponse, deadline: Deadline) -> Download:
        if response.status in _ABSENT:
            return Download("not_found")
        if response.status != 200:
            return Download("unreachable", transient=response.status in _TRANSIENT)
        if (announced_bytes(response.headers) or 0) > self._max_bytes:
            return Download("too_large")
        content = bytearray()
        while piece := response.read1(CHUNK_BYTES):
            content += piece
            if len(content) > self._max_bytes:
                return Download("too_large")
        if not deadline.remaining:
            return Download("timeout")  # cut off: what came may not be all
        response.release_conn()
        return Download("ok", bytes(content))
