"""Progress of long work, in the log: at most a line every ten seconds, so that short work logs nothing.

for row in with_progress(rows, "validated rows of shop.csv"): ...
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 10.0


def with_progress(items: Iterable[T], done: str) -> Iterator[T]:
    """The same items, one after the other; their number so far is logged every ten seconds.

    `done` describes what is counted, as in `read lines of a.json.gz: 120,000 so far`.
    """
    logged = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - logged >= INTERVAL_SECONDS:
            logged = time.monotonic()
            logger.info("%s: %s so far", done, f"{number:,}")
