"""Opens the SQL warehouse and brings its tables up to date.

with open_engine(load_settings().warehouse_dsn) as engine:
    with engine.begin() as connection:
        ...
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import NullPool

from include.errors import ConfigurationError, WarehouseUnreachable

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
HEAD = "0006"
"""The newest migration; a test compares it with the folder, so that opening need not load Alembic."""

CONNECT_SECONDS = 10
UPGRADE_LOCK = 0x63757665
"""Key of the advisory lock that lets one process migrate at a time."""


@contextmanager
def open_engine(dsn: str) -> Iterator[Engine]:
    """The warehouse at `dsn`, an SQLAlchemy URL, as an engine; its tables up to date, closed when the block ends.

    Raises ConfigurationError if its URL cannot be used, and WarehouseUnreachable if the server does not
    answer, now or later in the block; the message holds host, port and what to do, never the password.
    """
    url = warehouse_url(dsn)
    # A step is one process with one or two transactions: a pool would only keep connections open.
    # Error messages end up in logs: they must not quote whole batches of rows.
    engine = create_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"connect_timeout": CONNECT_SECONDS}
    )
    try:
        if _revision(engine) != HEAD:
            upgrade(engine)
        yield engine
    except (OperationalError, psycopg.OperationalError) as error:
        raise WarehouseUnreachable(unreachable_message(url, error)) from error
    finally:
        engine.dispose()


def warehouse_url(dsn: str) -> URL:
    """The URL with the driver that loading needs (psycopg 3), whatever driver `dsn` names.

    Raises WarehouseUnreachable if it is empty, and ConfigurationError if it is not a URL of a PostgreSQL database.
    """
    if not dsn:
        raise WarehouseUnreachable(
            "There is no warehouse yet: start the embedded PostgreSQL with `python -m include up`, "
            "or set CUVEE_WAREHOUSE_URL, e.g. postgresql+psycopg://user:password@host:5432/cuvee."
        )
    try:
        url = make_url(dsn)
    except (ArgumentError, ValueError):
        # `from None`: what cannot be read as a URL may be quoted there, password included.
        raise ConfigurationError(
            "CUVEE_WAREHOUSE_URL is not a database URL: expected postgresql+psycopg://user:password@host:5432/cuvee."
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(
            f"CUVEE_WAREHOUSE_URL names {url.get_backend_name()}, but the warehouse is PostgreSQL: "
            "expected postgresql+psycopg://user:password@host:5432/cuvee."
        )
    return url.set(drivername="postgresql+psycopg")


def upgrade(engine: Engine) -> None:
    """Create the tables, or migrate them to the newest revision; running it again changes nothing."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    logger.info("warehouse %s is at revision %s", place(engine.url), HEAD)


def place(url: URL) -> str:
    """Where a warehouse is, for people: `host:port/database`, without user and password."""
    return f"{url.host or 'local socket'}:{url.port or 5432}/{url.database or ''}"


def driver_connection(connection: Connection) -> psycopg.Connection:
    """The driver's connection below an SQLAlchemy one, in the same transaction: for COPY and streams."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"COPY needs psycopg 3, not {type(driver)}: open the engine with open_engine()")
    return driver


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def unreachable_message(url: URL, error: BaseException) -> str:
    """Which warehouse does not answer, why, and what to do; never the password."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    reason = lines[-1].strip() if lines else type(error).__name__
    return (
        f"The warehouse at {place(url)} is not reachable ({reason}): start the embedded PostgreSQL with "
        "`python -m include up`, or check the server that CUVEE_WAREHOUSE_URL names, then run the step again. "
        "The Parquet files are kept."
    )
