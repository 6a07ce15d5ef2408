"""Exclusive locks on a warehouse; they end with the process that holds them, so that a killed one leaves none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from include.errors import CuveeError

logger = logging.getLogger(__name__)

Work = Literal["training", "decision"]
"""`training`: candidates are trained, for minutes. `decision`: gold set, snapshot or champion change, for seconds."""

_LOCK = 0x72657472
"""First key of the advisory locks; the second is the work."""
_NUMBERS: dict[Work, int] = {"training": 1, "decision": 2}


class RetrainingBusy(CuveeError):
    """Another process trains, or decides about the champion, on this warehouse."""


@contextmanager
def exclusive_lock(engine: Engine, work: Work, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a kind of work on this warehouse for the length of a block.

    If another process holds it, wait until that one has ended, or without `wait` raise RetrainingBusy at once. A
    process that holds a lock must not take it again: it would wait for itself.
    """
    key = (_LOCK, _NUMBERS[work])
    with engine.connect() as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(*key))):
            if not wait:
                raise RetrainingBusy(
                    f"another {work} is running on this warehouse: wait until it has ended (in the Airflow UI, see the "
                    "runs of retrain_weekly), then try again"
                )
            logger.warning("waiting for another %s to end", work)
            connection.execute(select(func.pg_advisory_lock(*key)))
        connection.commit()  # the lock is the session's: no transaction stays open meanwhile
        try:
            yield
        finally:
            try:
                connection.execute(select(func.pg_advisory_unlock(*key)))
            except DBAPIError as error:
                # What was done in the block is done; the lock went with the connection.
                logger.warning("the connection that held the lock of a %s was lost: %s", work, error)
