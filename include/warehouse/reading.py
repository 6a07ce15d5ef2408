"""Reads for pages: a small pool of connections that can only read, and that give an answer in time or none.

with open_pages_engine(dsn) as engine, read(engine) as connection:
    connection.execute(...)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from include.errors import CuveeError, WarehouseUnreachable
from include.warehouse.engine import CONNECT_SECONDS, unreachable_message, warehouse_url

STATEMENT_SECONDS = 10
POOL_SIZE = 4
MOST_CONNECTIONS = 8
WAIT_SECONDS = 5
"""How long a page waits for one of the connections."""


class TooSlow(CuveeError):
    """The warehouse did not answer within the time that a page has; the message says what to try."""


class TablesOutdated(CuveeError):
    """The tables are of another release; the message says what brings them up to date."""


def pages_engine(dsn: str, *, statement_seconds: float = STATEMENT_SECONDS) -> Engine:
    """An engine for pages, which connects only when it is used; call `dispose()` in the end.

    Raises WarehouseUnreachable if `dsn` is empty, and ConfigurationError if it is not a URL of PostgreSQL. Tables are
    not brought up to date here: the pipeline's `open_engine` does that. Its statements raise WarehouseUnreachable,
    TooSlow and TablesOutdated.
    """
    options = f"-c statement_timeout={int(statement_seconds * 1000)} -c default_transaction_read_only=on -c jit=off"
    engine = create_engine(
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

    @event.listens_for(engine, "handle_error")
    def _explain(context: ExceptionContext) -> None:
        explained = None if context.is_pre_ping else _explained(engine, context.original_exception)
        if explained:
            raise explained from context.original_exception

    return engine


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
    """Errors of a warehouse that does not answer, in words for people, whichever engine or driver they come from.

    Raises WarehouseUnreachable when the server is gone, TablesOutdated when its tables are of another release, and
    TooSlow when a statement takes longer than its limit, or when all connections stay busy.
    """
    try:
        yield
    except PoolTimeout as error:
        raise TooSlow("All connections to the warehouse are busy: try again in a moment.") from error
    except (DBAPIError, psycopg.Error) as error:
        explained = _explained(engine, (error.orig or error) if isinstance(error, DBAPIError) else error)
        if explained:
            raise explained from error
        raise


def _explained(engine: Engine, error: BaseException) -> CuveeError | None:
    """What an error of the driver means to whoever asked; None for an error of the program."""
    if isinstance(error, errors.QueryCanceled):
        return TooSlow(
            "The warehouse took too long to answer: filter by more, or ask the same of `python -m include sql`, "
            "which may take a minute."
        )
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        return TablesOutdated(
            f"The tables of the warehouse are of an earlier release ({error.diag.message_primary}): run a day, or "
            "`python -m include sql 'select 1'`, which brings them up to date."
        )
    if isinstance(error, psycopg.OperationalError):
        return WarehouseUnreachable(unreachable_message(engine.url, error))
    return None
