"""An engine for whoever only reads, and often: a small pool, read-only transactions, a time limit for each query."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine

from include.warehouse.engine import CONNECT_SECONDS, warehouse_url

POOL = 5
"""Connections that stay open; twice as many under load."""


def reading_engine(dsn: str, *, seconds: float) -> Engine:
    """An engine on the warehouse at `dsn` whose transactions may read, and whose queries end after `seconds`.

    The tables are as they are: whoever writes migrates. Raises ConfigurationError and WarehouseUnreachable for a URL
    that cannot be used.
    """
    options = f"-c default_transaction_read_only=on -c statement_timeout={round(seconds * 1000)}"
    return create_engine(
        warehouse_url(dsn),
        pool_size=POOL,
        max_overflow=POOL,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_SECONDS, "options": options, "application_name": "cuvee-pages"},
    )
