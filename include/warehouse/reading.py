"""Reads for pages: a small pool of connections that can only read, and that give an answer in time or none.

with open_pages_engine(dsn) as engine, read(engine) as connection:
    connection.execute(...)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from include.errors import CuveeError, WarehouseUnreachable
from include.warehouse.engine import CONNECT_SECONDS, unreachable_message, warehouse_url

STATEMENT_SECONDS = 5
POOL_SIZE = 4
MOST_CONNECTIONS = 8
WAIT_SECONDS = 5
"""How long a page waits for one of the connections."""


class TooSlow(CuveeError):
    """The warehouse did not answer within the time that a page has; the message says what to try."""


def pages_engine(dsn: str, *, statement_seconds: float = STATEMENT_SECONDS) -> Engine:
    """An engine for `read`, which connects only when it is used; call `dispose()` in the end.

    Raises WarehouseUnreachable if `dsn` is empty, and ConfigurationError if it is not a URL of PostgreSQL. Tables are
    not brought up to date here: the pipeline's `open_engine` does that.
    """
    options = f"-c statement_timeout={int(statement_seconds * 1000)} -c default_transaction_read_only=on -c jit=off"
    return create_engine(
        warehouse_url(dsn),
        pool_size=POOL_SIZE,
        max_overflow=MOST_CONNECTIONS - POOL_SIZE,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,
        pool_recycle=1_800,
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": options,
            "application_name": "cuvee-pages",
            "prepare_threshold": None,  # a plan for all values alike is a bad one where they are so uneven
        },
    )


@contextmanager
def open_pages_engine(dsn: str, *, statement_seconds: float = STATEMENT_SECONDS) -> Iterator[Engine]:
    """`pages_engine`, whose connections are closed when the block ends."""
    engine = pages_engine(dsn, statement_seconds=statement_seconds)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def read(engine: Engine, *, statement_seconds: float | None = None) -> Iterator[Connection]:
    """A read-only transaction in which all statements see the same state of the warehouse.

    `statement_seconds` is a limit for each statement, instead of the engine's. Raises what `answered` raises.
    """
    with answered(engine), engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if statement_seconds is not None:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(statement_seconds * 1000)}")
        yield connection


@contextmanager
def answered(engine: Engine) -> Iterator[None]:
    """Errors of a warehouse that does not answer, in words for people.

    Raises WarehouseUnreachable when the server is gone, and TooSlow when a statement takes longer than its limit, or
    when all connections stay busy.
    """
    try:
        yield
    except PoolTimeout as error:
        raise TooSlow("All connections to the warehouse are busy: try again in a moment.") from error
    except (DBAPIError, psycopg.Error) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(reason, psycopg.errors.QueryCanceled):
            raise TooSlow(
                "The warehouse took too long to answer: filter by more, or ask the same of `python -m include sql`, "
                "which may take a minute."
            ) from error
        if isinstance(reason, psycopg.OperationalError):
            raise WarehouseUnreachable(unreachable_message(engine.url, error)) from error
        raise
