"""One exchange with an API: a request, its redirects, and an answer that is read within bounds.

    exchanges = Exchanges({"User-Agent": "Cuvee/1.0"}, guard=AddressGuard(), timeout_seconds=30)
    with exchanges.ask("https://world.openfoodfacts.org/x", deadline=Deadline(120)) as answer:
        answer.status, answer.content(1_000_000)

Redirects are followed by hand: `requests` would read their bodies whole, and knows nothing of the guard. Everything
that goes wrong is a ServerFailure, which is worth another try, or a Refusal, which is not. Their messages hold no URL.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy

from include.security.addresses import AddressGuard, AddressRefused, host_and_port, is_loopback
from include.security.connections import guard_pools, resolve
from include.security.deadline import Deadline
from include.security.expansion import BoundedGunzip
from include.security.framing import REDIRECTS, announced_bytes, content_encoding, redirect_target
from include.security.quoting import printable, shortened
from include.security.redaction import redact_values, secret_values
from include.sources.retrying import Refusal, ServerFailure, failure_reason

logger = logging.getLogger(__name__)

MAX_REDIRECTS = 5
CHUNK_BYTES = 64 * 1024
PROGRESS_SECONDS = 10.0
"""A body that takes long is logged about so often."""


class Answer:
    """The answer of a server whose body has yet to be read."""

    def __init__(self, response: requests.Response, deadline: Deadline) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.reason = str(response.reason or "")
        """The server's own words for the status; to be quoted with care."""
        self._host = urlsplit(response.url).hostname
        self._raw: urllib3.HTTPResponse = response.raw
        self._deadline = deadline

    def chunks(self, limit: int) -> Iterator[bytes]:
        """The body as sent, compressed or not, as it arrives.

        Raises Refusal if it is larger than `limit` bytes or says so, ServerFailure if it breaks off, drips, or if its
        headers are not to be relied on.
        """
        try:
            announced = announced_bytes(self._raw.headers)
            content_encoding(self._raw.headers)
        except ValueError as error:
            raise ServerFailure(str(error)) from None
        if announced is not None and announced > limit:
            raise Refusal(f"the answer is larger than the {limit} bytes accepted")
        size = 0
        next_word = time.monotonic() + PROGRESS_SECONDS
        while chunk := self._read():
            size += len(chunk)
            self._deadline.count(len(chunk))
            if size > limit:
                raise Refusal(f"the answer is larger than the {limit} bytes accepted")
            yield chunk
            if time.monotonic() >= next_word:
                logger.info("receiving: host=%s bytes=%d of=%s", self._host, size, announced or "?")
                next_word = time.monotonic() + PROGRESS_SECONDS

    def content(self, limit: int) -> bytes:
        """The whole body, decompressed: at most `limit` bytes. Raises as `chunks` does."""
        content = bytearray()
        compressed = self.headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip")
        gunzip = BoundedGunzip(max_bytes=limit, max_lines=limit) if compressed else None
        for chunk in self.chunks(limit):
            if gunzip is None:
                content += chunk
                continue
            try:
                for piece in gunzip.feed(chunk):
                    content += piece
            except ValueError:
                raise ServerFailure("the compressed body is damaged") from None
            except OverflowError:
                raise Refusal(f"the answer is larger than the {limit} bytes accepted") from None
        if gunzip is not None and not gunzip.is_whole:
            raise ServerFailure("the compressed body is cut off")
        return bytes(content)

    def _read(self) -> bytes:
        try:
            chunk: bytes = self._raw.read1(CHUNK_BYTES, decode_content=False) or b""
        except Exception as error:  # whatever the libraries make of what a stranger sends
            raise _too_late(self._deadline) or ServerFailure(failure_reason(error)) from None
        if late := _too_late(self._deadline):
            raise late  # the connection was cut: what came may not be all
        return chunk


class Exchanges:
    """Asks servers, one request at a time, and keeps connections for the next one; close it.

    Addresses given to `ask` are a person's configuration and called wherever they lead; redirects pass the guard.
    Proxies of the environment are used, except for this machine: then the proxy resolves names and decides what it
    calls, and a redirect is refused if its host is known here to be private.
    """

    def __init__(self, headers: Mapping[str, str], *, guard: AddressGuard, timeout_seconds: float) -> None:
        self._guard = guard
        self._timeout_seconds = timeout_seconds
        self._session = _Session(guard)
        self._session.headers.update({"Accept-Encoding": "gzip", **headers})

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    @contextmanager
    def ask(self, url: str, deadline: Deadline, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """The answer to a GET of `url`, redirects followed, to be read inside the block and before the deadline."""
        with deadline:
            response = self._follow(url, headers or {}, deadline)
            try:
                yield Answer(response, deadline)
            finally:
                # A body that was not read to its end is not read any more: the connection is given up.
                response.close()

    def _follow(self, url: str, headers: Mapping[str, str], deadline: Deadline) -> requests.Response:
        self._trust(url)
        home, secrets = host_and_port(url)[0], secret_values(url)
        for _ in range(MAX_REDIRECTS + 1):
            try:
                response = self._send(url, headers, deadline)
            except AddressRefused as refused:
                raise Refusal(
                    f"redirects to an address that must not be called: {shortened(printable(str(refused)))}; "
                    "allow private hosts for this connection if that is meant"
                ) from None
            if response.status_code not in REDIRECTS:
                return response
            response.close()
            url = _checked_target(url, response.headers)
            if host_and_port(url)[0] != home and redact_values(url, secrets) != url:
                raise Refusal("redirects to another host, and would hand it the credentials")
        raise Refusal(f"more than {MAX_REDIRECTS} redirects")

    def _trust(self, url: str) -> None:
        try:
            self._guard.trust(url)
        except ValueError:
            raise Refusal("the address cannot be read") from None

    def _send(self, url: str, headers: Mapping[str, str], deadline: Deadline) -> requests.Response:
        try:
            request = self._session.prepare_request(requests.Request("GET", url, headers=dict(headers)))
            adapted: dict[str, Any] = dict(self._session.merge_environment_settings(url, {}, True, None, None))
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError):
            raise Refusal("the address, or the setting CUVEE_CONTACT, cannot be sent in a request") from None
        host, port = host_and_port(url)
        if is_loopback(host):
            adapted["proxies"] = {}
        elif select_proxy(url, adapted["proxies"]):
            self._guard.check(host, port, _known_addresses(host, port))
        patience = max(min(self._timeout_seconds, deadline.remaining), 0.001)
        try:
            return self._session.send(request, **{**adapted, "timeout": patience, "allow_redirects": False})
        except AddressRefused:
            raise
        except Exception as error:  # whatever the libraries make of what a stranger sends
            # `from None` throughout: their exceptions quote the whole URL, credentials included.
            raise _too_late(deadline) or ServerFailure(failure_reason(error)) from None


class _Session(requests.Session):
    """A session that follows no redirects by itself, connects under a guard, and sends nobody's stored credentials."""

    def __init__(self, guard: AddressGuard) -> None:
        super().__init__()
        self.auth = _no_credentials  # else `requests` looks for some in ~/.netrc and in the URL of a redirect
        for scheme in ("http://", "https://"):
            self.mount(scheme, _GuardedAdapter(guard))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: `requests` reads the body of a redirect, even of one that it is told not to follow."""
        return None


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        guard_pools(self.poolmanager, self._guard)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if isinstance(manager, urllib3.ProxyManager):  # SOCKS has connections of its own
            guard_pools(manager, AddressGuard(allow_private=True))
        return manager


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _checked_target(url: str, headers: Mapping[str, str]) -> str:
    """Where a redirect leads: never off http(s), nor from https to http."""
    try:
        target = redirect_target(url, headers)
        scheme = urlsplit(target).scheme
        if scheme in ("http", "https"):
            host_and_port(target)
    except ValueError as error:
        raise ServerFailure(f"redirects to an address that cannot be read ({shortened(str(error))})") from None
    if scheme not in ("http", "https") or (urlsplit(url).scheme == "https" and scheme == "http"):
        raise Refusal(f"redirects to an unsafe address, by {shortened(printable(scheme), 20)}")
    return target


def _known_addresses(host: str, port: int) -> list[str]:
    """What a host resolves to here; nothing if only the proxy knows it."""
    try:
        return resolve(host, port)
    except (OSError, ValueError):
        return []


def _too_late(deadline: Deadline) -> ServerFailure | None:
    if deadline.remaining:
        return None
    elapsed = time.monotonic() - deadline.started
    return ServerFailure(f"the answer is not complete after {elapsed:.0f} s: {deadline.bytes} bytes came")
