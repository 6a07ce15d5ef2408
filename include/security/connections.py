"""Connections to servers that nobody here vouches for, shared by everything that asks over HTTP.

A name is resolved once, every address that it resolves to passes the guard, and the connection goes to one of those:
a name that answers differently the second time (DNS rebinding) gains nothing. Each connection is placed under the
deadline of its thread. Answers are read by the rules of `_Response`.
"""

from __future__ import annotations

import http.client
import socket
import threading
from functools import partial
from typing import Any

import urllib3
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from include.security.addresses import AddressGuard
from include.security.deadline import current_deadline

MAX_INTERIM_ANSWERS = 8
"""An answer may be announced (`100 Continue`, `103 Early Hints`) this many times."""
MAX_ADDRESSES = 4
"""Addresses of one host that are tried."""
_RESOLVERS = threading.BoundedSemaphore(32)
"""Names that are being resolved at a time. The system gives up on a name after some time of its own, which nothing can
cut short (by default 5 s, twice, for each name server); a caller waits for it no longer than its deadline."""


def guard_pools(pools: urllib3.PoolManager, guard: AddressGuard) -> None:
    """Make a pool manager connect under a guard and the deadline of the thread.

    The manager of a proxy connects to the proxy, a machine that a person has configured: its guard allows private
    addresses, and the proxy decides what it calls.
    """
    classes: dict[str, Any] = {"http": partial(_Pool, guard=guard), "https": partial(_TLSPool, guard=guard)}
    pools.pool_classes_by_scheme = classes


class _Response(http.client.HTTPResponse):
    """An answer of which announcements are passed over, as HTTP demands, up to a number; cookies are dropped."""

    _answers = 0

    def begin(self) -> None:
        super().begin()
        while 100 < self.status < 200 and self.status != http.client.SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        del self.headers["Set-Cookie"]
        lengths = {length.strip() for line in self.headers.get_all("Content-Length", []) for length in line.split(",")}
        if len(lengths) > 1 and not self.chunked:
            # urllib3 would say so later, and leave the connection open.
            raise exceptions.InvalidHeader("two different lengths")

    def _read_status(self) -> tuple[str, int, str]:
        self._answers += 1
        if self._answers > MAX_INTERIM_ANSWERS + 1:
            raise http.client.HTTPException("more announcements than answers")
        status: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
        return status


class _Guarded(HTTPConnection):
    """A connection that resolves its host once and goes to an address that was checked."""

    response_class = _Response

    def __init__(self, *arguments: Any, guard: AddressGuard, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        addresses = self._resolve()
        self._guard.check(self._dns_host, self.port, addresses)
        connected = self._connect_to_first(addresses[:MAX_ADDRESSES])
        _place_under_deadline(connected)
        return connected

    def _resolve(self) -> list[str]:
        try:
            answers = resolve(self._dns_host, self.port)
        except TimeoutError:
            raise exceptions.ConnectTimeoutError(self, f"{self.host} is not resolved in time") from None
        except (OSError, ValueError) as error:
            raise exceptions.NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        if not answers:
            raise exceptions.NewConnectionError(self, f"{self.host} has no address")
        return answers

    def _connect_to_first(self, addresses: list[str]) -> socket.socket:
        failure: exceptions.HTTPError = exceptions.NewConnectionError(self, f"{self.host} has no address")
        for address in addresses:
            try:
                return create_connection((address, self.port), self._patience(), socket_options=self.socket_options)
            except TimeoutError as error:
                failure = exceptions.ConnectTimeoutError(self, f"{self.host} accepts no connection: {error}")
            except OSError as error:
                failure = exceptions.NewConnectionError(self, f"{self.host} accepts no connection: {error}")
                failure.__cause__ = error
        raise failure

    def _patience(self) -> float | None:
        """Seconds to wait for one step: the connection's own limit, and no more than the deadline leaves."""
        deadline = current_deadline()
        limits = [] if deadline is None else [max(deadline.remaining, 0.001)]
        return min([*limits, *([] if self.timeout is None else [self.timeout])], default=None)

    def _tunnel(self) -> None:
        super()._tunnel()
        deadline = current_deadline()
        if deadline is not None and not deadline.remaining:
            raise TimeoutError("the tunnel was cut: to the library, the end of the connection ends its headers")

    def request(self, *arguments: Any, **options: Any) -> None:
        if self.sock is not None:
            _place_under_deadline(self.sock)
        super().request(*arguments, **options)


class _GuardedTLS(_Guarded, HTTPSConnection):
    """The same over TLS; the certificate is checked against the host's name."""


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, *arguments: Any, guard: AddressGuard, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ConnectionCls = partial(_Guarded, guard=guard)  # type: ignore[assignment]


class _TLSPool(urllib3.HTTPSConnectionPool):
    def __init__(self, *arguments: Any, guard: AddressGuard, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ConnectionCls = partial(_GuardedTLS, guard=guard)  # type: ignore[assignment]


def _place_under_deadline(connection: socket.socket) -> None:
    deadline = current_deadline()
    if deadline is not None:
        deadline.watch(connection)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, each once; TimeoutError after the deadline, OSError or ValueError if there are none."""
    deadline = current_deadline()
    if deadline is None:
        return _addresses(host, port)
    if not _RESOLVERS.acquire(timeout=deadline.remaining):
        raise TimeoutError
    found: list[list[str] | Exception] = []
    done = threading.Event()

    def resolve() -> None:
        try:
            found.append(_addresses(host, port))
        except Exception as error:  # handed to the thread that waits
            found.append(error)
        finally:
            _RESOLVERS.release()
            done.set()

    threading.Thread(target=resolve, name=f"resolve {host}", daemon=True).start()
    if not done.wait(deadline.remaining):
        raise TimeoutError
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _addresses(host: str, port: int) -> list[str]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))
