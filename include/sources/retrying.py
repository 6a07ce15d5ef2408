"""When a request is worth another try, why it failed in a person's words, and how long to wait."""

from __future__ import annotations

import http.client
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import tenacity
import urllib3

LONGEST_BACKOFF_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 120.0
"""A server that asks for a longer pause is asked again after this one; the scheduler's own retries come later."""
_CAUSES = 16
"""Exceptions inside one another that are looked at."""

_REASONS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("connection refused (is the server running?)", (ConnectionRefusedError,)),
    (
        "the host name is not known (no network?)",
        (urllib3.exceptions.NameResolutionError, socket.gaierror),
    ),
    (
        "the TLS certificate or handshake was refused",
        (ssl.SSLError, urllib3.exceptions.SSLError, requests.exceptions.SSLError),
    ),
    ("the host cannot be reached", (urllib3.exceptions.NewConnectionError,)),  # to urllib3 a kind of timeout
    ("no answer within the time limit", (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)),
    ("the answer announces two different lengths", (urllib3.exceptions.InvalidHeader,)),
    ("the body is shorter than announced", (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead)),
    ("the compressed body is damaged or cut off", (urllib3.exceptions.DecodeError, zlib.error)),
    ("the proxy refuses or cannot be reached", (urllib3.exceptions.ProxyError, requests.exceptions.ProxyError)),
    ("the connection broke", (ConnectionError, http.client.RemoteDisconnected)),
    ("the answer is no HTTP", (http.client.HTTPException, ValueError)),
)
"""The first that applies to an exception or to one inside it. Types, not texts: servers write into the texts."""


class ServerFailure(Exception):
    """One try failed through the server's or the network's fault; the message is the reason."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Refusal(Exception):
    """The server refuses, or what it sends must not be taken; another try would end the same. The message is why."""


def wait_before_retry(first_pause: float) -> Callable[[tenacity.RetryCallState], float]:
    """Pauses that double from `first_pause` seconds, with jitter; never shorter than the server asked for."""
    backoff = tenacity.wait_exponential_jitter(multiplier=first_pause, max=LONGEST_BACKOFF_SECONDS, jitter=first_pause)

    def wait(state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.retry_after if isinstance(failure, ServerFailure) else None
        return max(backoff(state), min(asked or 0.0, LONGEST_RETRY_AFTER_SECONDS))

    return wait


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The pause that `Retry-After` asks for, given in seconds or as an HTTP date; None if absent or unreadable.

    A date is compared with the server's own `Date`, so that a wrong clock here does not matter.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    moment = _http_date(value)
    if moment is None:
        return None
    now = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value[:100])
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def failure_reason(error: BaseException) -> str:
    """Why the network failed, in words that quote neither the URL nor the server."""
    causes = list(_causes(error))
    for reason, kinds in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return "the connection broke"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it wraps, in the ways of urllib3 and requests."""
    waiting = [error]
    seen: set[int] = set()
    while waiting and len(seen) < _CAUSES:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
        waiting += [each for each in inner if isinstance(each, BaseException)]
