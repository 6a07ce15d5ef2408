"""A bound on the pixels that all threads of a process decode at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """Pixels that are being decoded, 4 to 20 bytes each, whatever the number of threads."""

    def __init__(self) -> None:
        self._held = 0
        self._freed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int, limit: int) -> Iterator[None]:
        """A block that decodes `pixels`; it begins when no more than `limit` are held with them, or no others are.

        A block must not hold others inside: it could wait for itself.
        """
        with self._freed:
            self._freed.wait_for(lambda: not self._held or self._held + pixels <= limit)
            self._held += pixels
        try:
            yield
        finally:
            with self._freed:
                self._held -= pixels
                self._freed.notify_all()
