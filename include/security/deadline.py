"""A deadline for a whole exchange with a server, kept by cutting its connection.

Time limits of sockets start again with each byte, so a server that sends one now and then holds a reader for ever. Here
one thread watches all deadlines of the process and shuts down the connection of each that has passed; the reader then
sees the end of the connection, at once and wherever it waits: in a TLS handshake, a header, a chunk.

    with Deadline(60.0) as deadline:
        ...  # connections of `include.security.connections` that this thread uses are placed under it
        deadline.remaining
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
from types import TracebackType


class Deadline:
    """A time limit on all that the current thread exchanges inside the block; blocks may be nested, the inner counts.

    With `bytes_per_second`, what has arrived (`count`) earns time: a large file may take long as long as it comes on,
    but never longer than `longest` seconds.
    """

    current = threading.local()

    def __init__(self, seconds: float, *, bytes_per_second: float | None = None, longest: float | None = None) -> None:
        self.started = time.monotonic()
        self.bytes = 0
        self._seconds = seconds
        self._bytes_per_second = bytes_per_second
        self._longest = seconds if longest is None else longest
        self._lock = threading.Lock()
        self._duplicate: int | None = None
        self._outer: Deadline | None = None

    @property
    def end(self) -> float:
        """The moment at which the connection is cut, by the monotonic clock."""
        earned = self.bytes / self._bytes_per_second if self._bytes_per_second else 0.0
        return self.started + min(self._seconds + earned, self._longest)

    @property
    def remaining(self) -> float:
        """Seconds left, at least zero."""
        return max(0.0, self.end - time.monotonic())

    def count(self, size: int) -> None:
        """Take note of bytes that have arrived."""
        self.bytes += size

    def watch(self, connection: socket.socket) -> None:
        """Take `connection` as the one to cut; the one before is forgotten."""
        self._forget()
        with self._lock:
            # A duplicate of the descriptor: it stays valid when TLS or a response takes the socket over.
            self._duplicate = os.dup(connection.fileno())
        if not self.remaining:
            self.cut()

    def cut(self) -> None:
        """Shut the connection down, if there is one."""
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
        self._outer = getattr(Deadline.current, "deadline", None)
        Deadline.current.deadline = self
        _WATCH.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        Deadline.current.deadline = self._outer
        _WATCH.remove(self)
        self._forget()


def current_deadline() -> Deadline | None:
    """The deadline of the innermost block that the current thread is in."""
    return getattr(Deadline.current, "deadline", None)


class _Watch:
    """The thread that cuts; it is started when first needed, and again in a process that was forked."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self.reset()

    def reset(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Deadline]] = []
        self._active: set[Deadline] = set()
        self._thread: threading.Thread | None = None

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._active.add(deadline)
            heapq.heappush(self._queue, (deadline.end, next(self._numbers), deadline))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif self._queue[0][2] is deadline:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        with self._changed:
            self._active.discard(deadline)
            # What is done need not wait in the queue for its moment.
            if len(self._queue) > 64 and len(self._queue) > 2 * len(self._active):
                self._queue = [entry for entry in self._queue if entry[2] in self._active]
                heapq.heapify(self._queue)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue or self._queue[0][0] > time.monotonic():
                    self._changed.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                _, _, deadline = heapq.heappop(self._queue)
                if deadline not in self._active:
                    continue
                if deadline.remaining:  # what arrived has earned time
                    heapq.heappush(self._queue, (deadline.end, next(self._numbers), deadline))
                    continue
            deadline.cut()


_WATCH = _Watch()
os.register_at_fork(after_in_child=_WATCH.reset)
