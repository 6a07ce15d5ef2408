"""Downloads from addresses that strangers wrote into a product: nothing inside our network is reached.

A name is resolved once, every address it resolves to is checked, and the connection goes to a checked
address: a name that answers differently the second time (DNS rebinding) gains nothing. A redirect is a
new request under the same rules, and proxies are not used. Size and time are bounded whatever the
server does, but for the system's own time limit on resolving a name.

urllib3 is used below `requests`, because `requests` reads the whole body of a redirect into memory.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import certifi
import urllib3
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

logger = logging.getLogger(__name__)

MAX_REDIRECTS = 5
CHUNK_BYTES = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_ABSENT = (404, 410)
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_CARRIES_IPV4 = ipaddress.ip_network("64:ff9b::/96")
"""Addresses of NAT64 (RFC 6052), which end in an IPv4 address."""


@dataclass(frozen=True, slots=True)
class Download:
    """What came of one download: `ok` with its bytes, or a status of `include.schema.IMAGES` without."""

    status: str
    content: bytes = b""
    transient: bool = False
    """Whether a second try may succeed."""


class PrivateAddressError(Exception):
    """A host resolves to an address that is not a public one."""


def is_public_address(address: str) -> bool:
    """Whether an IPv4 or IPv6 address is a public unicast one.

    Private, loopback, link-local, shared, reserved, documentation and multicast addresses are not; an
    IPv6 address that carries IPv4 ones (mapped, 6to4, Teredo, NAT64) is judged by those too.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = list(_carried_addresses(parsed))
        if carried:
            return all(is_public_address(str(inner)) for inner in carried)
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _carried_addresses(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _CARRIES_IPV4:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


class Deadline:
    """A time limit on all that the current thread downloads inside the block.

    Time limits of sockets start anew with each byte; this one ends the connection itself, so that a
    server which sends a byte now and then is cut off too.
    """

    current = threading.local()

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._duplicate: int | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    @property
    def remaining(self) -> float:
        """Seconds left, at least zero."""
        return max(0.0, self._end - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Take `connection` as the one to cut; the one before is forgotten."""
        self._forget()
        with self._lock:
            # A duplicate of the descriptor: it stays valid when TLS or a response takes the socket over.
            self._duplicate = os.dup(connection.fileno())
        if not self.remaining:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            if self._duplicate is None:
                return
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._duplicate)) as connection:
                connection.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        with self._lock:
            if self._duplicate is not None:
                os.close(self._duplicate)
                self._duplicate = None

    def __enter__(self) -> Deadline:
        Deadline.current.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        Deadline.current.deadline = None
        self._timer.cancel()
        self._forget()


class _CheckedConnection(HTTPConnection):
    """A connection that resolves its host once and goes to an address that was checked."""

    allow_private_hosts = False

    def _new_conn(self) -> socket.socket:
        try:
            answers = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            raise exceptions.NewConnectionError(self, f"cannot resolve {self.host}: {error}") from error
        addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        if not self.allow_private_hosts and not all(is_public_address(address) for address in addresses):
            raise PrivateAddressError(f"{self.host} resolves to {', '.join(addresses)}")
        connected = self._connect_to_first(addresses)
        self._place_under_deadline(connected)
        return connected

    def _connect_to_first(self, addresses: list[str]) -> socket.socket:
        failure: exceptions.HTTPError = exceptions.NewConnectionError(self, f"{self.host} has no address")
        for address in addresses:
            try:
                return create_connection((address, self.port), self.timeout, socket_options=self.socket_options)
            except TimeoutError as error:
                failure = exceptions.ConnectTimeoutError(self, f"{self.host} accepts no connection: {error}")
            except OSError as error:
                failure = exceptions.NewConnectionError(self, f"{self.host} accepts no connection: {error}")
        raise failure

    def request(self, *arguments: Any, **options: Any) -> None:
        if self.sock is not None:
            self._place_under_deadline(self.sock)
        super().request(*arguments, **options)

    @staticmethod
    def _place_under_deadline(connection: socket.socket) -> None:
        deadline: Deadline | None = getattr(Deadline.current, "deadline", None)
        if deadline is not None:
            deadline.watch(connection)


class _CheckedTLSConnection(_CheckedConnection, HTTPSConnection):
    """The same over TLS; the certificate is checked against the host's name."""


class _UncheckedConnection(_CheckedConnection):
    allow_private_hosts = True


class _UncheckedTLSConnection(_CheckedTLSConnection):
    allow_private_hosts = True


class _CheckedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _CheckedConnection


class _CheckedTLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _CheckedTLSConnection


class _UncheckedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _UncheckedConnection


class _UncheckedTLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _UncheckedTLSConnection


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
        self._pools.pool_classes_by_scheme = (
            {"http": _UncheckedPool, "https": _UncheckedTLSPool}
            if allow_private_hosts
            else {"http": _CheckedPool, "https": _CheckedTLSPool}
        )

    def close(self) -> None:
        """Close idle connections."""
        self._pools.clear()

    def get(self, url: str, deadline: Deadline) -> Download:
        """Download one file; never raises for what the address or its server is.

        Statuses: `ok`, `not_found`, `too_large`, `private_address`, `timeout`, `unreachable`. A scheme
        other than http or https is `unreachable`.
        """
        try:
            return self._follow(url, deadline)
        except PrivateAddressError as error:
            logger.warning("refused a photo at an address that is not public: %s", error)
            return Download("private_address")
        except (exceptions.HTTPError, OSError, ValueError) as error:
            logger.debug("photo not downloaded: %s", error)
            # A refused connection is, to urllib3, a kind of connection that takes too long.
            slow = isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError)
            malformed = isinstance(error, ValueError)
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
                if response.status not in _REDIRECTS:
                    return self._outcome(response, deadline)
                url = urljoin(url, response.headers.get("Location", ""))
            finally:
                # Reading on to reuse the connection would give a hostile server what it wants.
                response.close()
        return Download("unreachable")

    def _outcome(self, response: urllib3.BaseHTTPResponse, deadline: Deadline) -> Download:
        if response.status in _ABSENT:
            return Download("not_found")
        if response.status != 200:
            return Download("unreachable", transient=response.status in _TRANSIENT)
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > self._max_bytes:
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
