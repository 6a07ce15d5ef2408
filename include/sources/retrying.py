"""When a request is worth another try, why it failed in a person's words, and how long to wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import tenacity
import urllib3

LONGEST_BACKOFF_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 120.0
"""A server that asks for a longer pause is asked again after this one; the scheduler's own retries come later."""


class ServerFailure(Exception):
    """One try failed through the server's or the network's fault; the message is the reason."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


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
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def failure_reason(error: Exception) -> str:
    """Why the network failed, in words that do not quote the URL."""
    text = repr(error)
    timed_out = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError)
    reasons = {
        "no answer within the time limit": timed_out or "timed out" in text,
        "the TLS certificate or handshake was refused": "SSL" in text,
        "the body is shorter than announced": "IncompleteRead" in text,
        "the host name is not known (no network?)": "NameResolution" in text,
        "connection refused (is the server running?)": "Connection refused" in text,
        "the compressed body is damaged or cut off": "Decod" in type(error).__name__,
    }
    return next((reason for reason, applies in reasons.items() if applies), "the connection broke")
