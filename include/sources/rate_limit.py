"""A rate limit per host that all processes of this machine share.

The counts live in one SQLite file per host and budget, in the state folder, guarded by a file lock: tasks
that Airflow runs side by side, and a person's command line, together keep to one limit.
"""

from __future__ import annotations

import logging
import re
from enum import Enum
from pathlib import Path
from types import TracebackType

from pyrate_limiter import Duration, Limiter, Rate, SingleBucketFactory, SQLiteBucket

from include.errors import SourceError

logger = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 900.0
"""A task that waits this long for its turn fails and is retried by the scheduler, instead of holding a slot."""


class Budget(Enum):
    """Kinds of request with a limit of their own, as a multiple of the setting `requests_per_minute`.

    Open Food Facts publishes 10 searches and 15 product reads a minute; its delta files are static and few
    (an index and a handful a day), so their limit only stops a runaway loop.
    """

    SEARCH = 1.0
    PRODUCT = 1.5
    FILE = 6.0


class HostRateLimiter:
    """Grants requests to hosts; `folder` holds the shared counts and is made when first needed."""

    def __init__(
        self, folder: Path, requests_per_minute: int, longest_wait_seconds: float = LONGEST_WAIT_SECONDS
    ) -> None:
        self._folder = folder
        self._requests_per_minute = requests_per_minute
        self._longest_wait_seconds = longest_wait_seconds
        self._limiters: dict[tuple[str, Budget], Limiter] = {}

    def __enter__(self) -> HostRateLimiter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_for_turn(self, host: str, budget: Budget) -> None:
        """Return when one more request to `host` is within the limit; SourceError after the longest wait."""
        key = (host.lower(), budget)
        if key not in self._limiters:
            self._limiters[key] = self._open(*key)
        if not self._limiters[key].try_acquire(host, timeout=self._longest_wait_seconds):
            raise SourceError(
                f"waited {self._longest_wait_seconds:.0f} s for a turn to ask {host}: other tasks of this machine "
                "use up its rate limit; run fewer days at a time, or try again later"
            )

    def close(self) -> None:
        """Close the files; the counts stay for other processes."""
        for limiter in self._limiters.values():
            limiter.close()
        self._limiters.clear()

    def _open(self, host: str, budget: Budget) -> Limiter:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{re.sub(r'[^a-z0-9.-]', '_', host)}.{budget.name.lower()}.sqlite"
        rate = Rate(max(1, int(self._requests_per_minute * budget.value)), Duration.MINUTE)
        bucket = SQLiteBucket.init_from_file([rate], db_path=str(file), use_file_lock=True)
        bucket.leak(bucket.now())  # once here, rather than by a thread that a forked task would lose
        return Limiter(SingleBucketFactory(bucket, schedule_leak=False))
