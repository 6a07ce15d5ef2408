"""Work in threads where what is slow is overtaken: it holds no place that others wait for."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Result = TypeVar("Result")

_UNCOLLECTED = 64
"""Results that wait for their consumer; then the work waits."""


def overtaking(
    work: Callable[[str], Result],
    items: Sequence[str],
    *,
    at_once: int,
    at_most: int,
    slow_seconds: float,
    tick_seconds: float,
) -> Iterator[tuple[str, Result] | None]:
    """Each item with what `work` makes of it, as they come; None whenever nothing came for `tick_seconds`.

    `at_once` items are worked on at the same time, not counting those that have taken `slow_seconds` already; with
    those there are `at_most`. An exception of `work` is raised here. A caller that stops early does not wait for the
    items that are being worked on.
    """
    places = _Places(items, at_once, slow_seconds)
    results: queue.Queue[tuple[str, Result | BaseException]] = queue.Queue(_UNCOLLECTED)
    abandoned = threading.Event()

    def run() -> None:
        while (item := places.take()) is not None:
            try:
                result: Result | BaseException = work(item)
            except BaseException as error:
                result = error
            places.leave()
            while not abandoned.is_set():
                try:
                    results.put((item, result), timeout=1)
                    break
                except queue.Full:
                    continue

    for number in range(min(at_most, len(items))):
        threading.Thread(target=run, daemon=True, name=f"overtaking-{number}").start()
    try:
        left = len(items)
        while left:
            try:
                item, result = results.get(timeout=tick_seconds)
            except queue.Empty:
                yield None
                continue
            if isinstance(result, BaseException):
                raise result
            left -= 1
            yield item, result
    finally:
        abandoned.set()
        places.close()


class _Places:
    """Items, each handed out to a thread as soon as there is a place for it."""

    def __init__(self, items: Sequence[str], places: int, slow_seconds: float) -> None:
        self._left = deque(items)
        self._places = places
        self._slow_seconds = slow_seconds
        self._begun: dict[int, float] = {}
        """When each thread that works on an item began, by thread."""
        self._changed = threading.Condition()

    def take(self) -> str | None:
        """The next item for the calling thread, which waits for a place; None if there is none left."""
        with self._changed:
            while self._left:
                now = time.monotonic()
                recent = [begun for begun in self._begun.values() if now - begun < self._slow_seconds]
                if len(recent) < self._places:
                    self._begun[threading.get_ident()] = now
                    item = self._left.popleft()
                    if not self._left:
                        self._changed.notify_all()
                    return item
                # A thread that leaves its place takes it again itself: only what is slow makes one free for another.
                self._changed.wait(min(recent) + self._slow_seconds - now)
            return None

    def leave(self) -> None:
        """The calling thread is done with its item."""
        with self._changed:
            self._begun.pop(threading.get_ident(), None)

    def close(self) -> None:
        """Hand out no more items."""
        with self._changed:
            self._left.clear()
            self._changed.notify_all()
