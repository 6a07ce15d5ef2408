"""Isolation of faulty records: the guard around all code that turns records from outside into rows.

No record stops a day: one that raises any exception is set aside as `unreadable`, and one warning for the batch has
their number and the first traceback, so that errors in the program are noticed. No record blocks a day either: one that
takes more than `LIMIT_SECONDS` fails the task, with its position.

    with RecordGuard("openfoodfacts") as guard, guard.watched():
        for record in guard.read_each(positions_and_raw_records, parse):
            ...
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from include.errors import RecordTooSlow
from include.schema import Product, Rejection

logger = logging.getLogger(__name__)

LIMIT_SECONDS = 30.0
"""Processor time that one record may take; an ordinary one takes a thousandth of a second."""
PROGRESS_SECONDS = 30.0
"""Processor time after which a long batch logs its progress again."""
_TICK_SECONDS = 1.0
_SHOWN_CHARACTERS = 200

T = TypeVar("T")


class _Overdue(BaseException):
    """The current record exceeded its time. Not an Exception, so that no handler on the way to the guard catches it."""


class RecordGuard:
    """The guard of one batch: the position of its reader, and the exceptions that records raised.

    As a context manager it logs a warning at its end, if a record raised an exception.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.position: Any = ""
        """Position of the record that is being read, e.g. `page-00001.json.gz:hints:3`; set by the reader."""
        self.processed = 0
        """Records processed so far; with `position` it shows that the batch makes progress."""
        self._kinds: Counter[str] = Counter()
        self._first: Exception | None = None
        self._first_position = ""
        self._progress_due = False

    def __enter__(self) -> RecordGuard:
        return self

    def __exit__(self, *_: object) -> None:
        self.warn()

    def read_each(
        self, raw_records: Iterable[tuple[str, Any]], read: Callable[[Any, str], Product | Rejection | None]
    ) -> Iterator[Product | Rejection]:
        """`read(raw, position)` for each `(position, raw)`; None is skipped, an exception gives a rejection."""
        for position, raw in raw_records:
            self.position = position
            if self._progress_due:
                self._progress_due = False
                logger.info("reading source=%s at=%s records=%d", self.source, position, self.processed)
            try:
                record = read(raw, position)
            except MemoryError:
                raise
            except Exception as error:
                record = self.set_aside(error, raw, position)
            if record is not None:
                yield record

    def each(self, rows: Iterable[tuple[Any, ...]], read: Callable[..., T], otherwise: T) -> list[T]:
        """What `read(*row)` gives for each row; `otherwise` for a row on which it fails."""
        found = []
        for number, row in enumerate(rows, start=1):
            self.position = (number, row)
            try:
                found.append(read(*row))
            except MemoryError:
                raise
            except Exception as error:
                self.note(error, self.position)
                found.append(otherwise)
        return found

    def set_aside(self, error: Exception, raw: Any, position: str, native_id: str | None = None) -> Rejection:
        """The rejection of a record on which the program failed with `error`."""
        self.note(error, position)
        detail = f"our own code failed on this record ({type(error).__name__}); the task's log has the traceback"
        if isinstance(raw, bytes):
            raw = {"line": raw[:_SHOWN_CHARACTERS].decode("utf-8", "replace")}
        raw = raw if isinstance(raw, dict) else {"record": raw}
        return Rejection(self.source, native_id, ("unreadable",), detail, raw, position)

    def note(self, error: Exception, position: Any) -> None:
        """Remember an exception for the warning; of the first, the traceback too."""
        self._kinds[type(error).__name__] += 1
        if self._first is None:
            self._first, self._first_position = error, _shown(position)

    def warn(self) -> None:
        """Log once the number of failed records, the kinds of exception and the first traceback."""
        if self._first is None:
            return
        logger.warning(
            "our own code failed on %d records of source=%s, and went on without them: %s; the first, %s, with",
            self._kinds.total(), self.source, dict(self._kinds), self._first_position, exc_info=self._first,
        )  # fmt: skip
        self._kinds.clear()
        self._first = None

    @contextmanager
    def watched(self, limit_seconds: float | None = None) -> Iterator[None]:
        """Raise RecordTooSlow, which names the record, once one has taken that much of this thread's processor time.

        Without `limit_seconds`, that is `LIMIT_SECONDS`. A timer checks regularly whether the batch has made progress,
        so that there is no cost per record. Python delivers signals to the main thread only: others are not watched.
        """
        limit = LIMIT_SECONDS if limit_seconds is None else limit_seconds
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        seen: Any = None
        since = logged = time.thread_time()

        def look(_signal: int, _frame: FrameType | None) -> None:
            nonlocal seen, since, logged
            current = (self.processed, self.position)
            if time.thread_time() - logged >= PROGRESS_SECONDS:
                self._progress_due, logged = True, time.thread_time()
            if seen is None or current[0] != seen[0] or current[1] is not seen[1]:
                seen, since = current, time.thread_time()
            elif time.thread_time() - since >= limit:
                raise _Overdue

        # Virtual time is the process's own work: neither Airflow nor a suspended machine adds to it.
        tick = min(_TICK_SECONDS, limit / 4)
        before = signal.signal(signal.SIGVTALRM, look)
        signal.setitimer(signal.ITIMER_VIRTUAL, tick, tick)
        try:
            yield
        except _Overdue as overdue:
            raise RecordTooSlow(
                f"{self.source}: the record at {_shown(self.position)} took more than {limit:g} s of processor "
                "time: reading it hangs. Report it with the record; taking it out of the input lets the rest go on"
            ) from overdue
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)


def _shown(position: Any) -> str:
    if isinstance(position, tuple):
        number, row = position
        position = f"row {number}: {', '.join(str(text)[:60] for text in row if text)}"
    return ascii(str(position)[:_SHOWN_CHARACTERS])
