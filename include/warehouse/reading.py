"""An engine for whoever only reads, and often: a small pool, read-only transactions, a time limit for each query."""

from __future__ import annotations

import psycopg
from psycopg import errors
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from include.errors import CuveeError, WarehouseUnreachable
from include.warehouse.engine import CONNECT_SECONDS, unreachable_message, warehouse_url
from include.warehouse.queries import QueryRefused

POOL = 5
"""Connections that stay open; twice as many under load."""


def reading_engine(dsn: str, *, seconds: float) -> Engine:
    """An engine on the warehouse at `dsn` whose transactions may read, and whose queries end after `seconds`.

    The tables are as they are: whoever writes migrates. Raises ConfigurationError and WarehouseUnreachable for a URL
    that cannot be used. Its queries raise WarehouseUnreachable, and QueryRefused where they take too long, or where the
    tables are of another release.
    """
    options = f"-c default_transaction_read_only=on -c statement_timeout={round(seconds * 1000)}"
    engine = create_engine(
        warehouse_url(dsn),
        pool_size=POOL,
        max_overflow=POOL,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_SECONDS, "options": options, "application_name": "cuvee-pages"},
    )

    @event.listens_for(engine, "handle_error")
    def _explain(context: ExceptionContext) -> None:
        if not context.is_pre_ping:
            explained = _explained(engine, context.original_exception, seconds)
            if explained:
                raise explained from context.original_exception

    return engine


def _explained(engine: Engine, error: BaseException, seconds: float) -> CuveeError | None:
    """What an error of the driver means to whoever asked; None for an error of the program."""
    if isinstance(error, errors.QueryCanceled):
        return QueryRefused(
            f"The warehouse took longer than {seconds:g} seconds. Ask for less: fewer days, or a narrower filter."
        )
    if isinstance(error, errors.UndefinedTable | errors.UndefinedColumn):
        return QueryRefused(
            "The tables of the warehouse are of an earlier release. Run a day, or `python -m include sql 'select 1'`: "
            "either brings them up to date."
        )
    if isinstance(error, psycopg.OperationalError):
        return WarehouseUnreachable(unreachable_message(engine.url, error))
    return None
