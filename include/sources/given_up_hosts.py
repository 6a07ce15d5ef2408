"""Hosts that do not answer are given up, so that each of their photos does not cost a minute.

A host is given up for as long as this object lives, which is one shard of one day: the next shard and the next day ask
it again, since a server that is down today is up tomorrow. Nothing is shared between processes. A shard that asks a
host in vain loses two minutes by it, and needs nobody's word for that.
"""

from __future__ import annotations

import logging
import threading
import time
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)

FAILURES = 20
"""Photos in a row that must have failed. Of a host of which every tenth photo hangs, this comes once in 1e20 times."""


class GivenUpHosts:
    """What came of the photos of each host; threads share one."""

    def __init__(self, patience_seconds: float) -> None:
        """A host is given up when, for so long, it answered nothing, and `FAILURES` photos in a row failed."""
        self._patience_seconds = patience_seconds
        self._failures: dict[str, int] = {}
        self._silent_since: dict[str, float] = {}
        self._given_up: set[str] = set()
        self._lock = threading.Lock()

    def is_given_up(self, url: str) -> bool:
        """Whether a photo's host is given up."""
        host = _host(url)
        with self._lock:
            self._silent_since.setdefault(host, time.monotonic())
            return host in self._given_up

    def record(self, url: str, *, answered: bool) -> None:
        """A photo's host answered, be it that it does not have the photo, or it did not (in time)."""
        host, now = _host(url), time.monotonic()
        with self._lock:
            if answered:
                self._failures[host] = 0
                self._silent_since[host] = now
                return
            failures = self._failures[host] = self._failures.get(host, 0) + 1
            silent_seconds = now - self._silent_since.setdefault(host, now)
            if host in self._given_up or failures < FAILURES or silent_seconds < self._patience_seconds:
                return
            self._given_up.add(host)
        logger.warning(
            "a host of photos is given up: host=%.100r failed=%d seconds=%.0f; run the day again to ask it again",
            host, failures, silent_seconds,
        )  # fmt: skip


def _host(url: str) -> str:
    """Name and port of a photo's host; the same for all addresses that have none."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or ''}:{parts.port or parts.scheme}"
    except ValueError:
        return ""
