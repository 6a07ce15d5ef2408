"""Many rows of a query as an Arrow table: by COPY in the binary format, decoded in C++ by Arrow's own driver.

No row becomes a Python object, and no text format lies in between that could lose something.

    with open_reader(engine) as reader:
        table = reader.read(query, schema)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pyarrow as pa
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, Select

from include.warehouse.engine import driver_connection

if TYPE_CHECKING:
    from adbc_driver_postgresql.dbapi import Connection


class ArrowReader:
    """A separate connection: uncommitted rows of others are not visible. One object per thread."""

    def __init__(self, engine: Engine, connection: Connection) -> None:
        """Made by `open_reader`."""
        self._engine = engine
        self._connection = connection

    def read(self, query: Select, schema: pa.Schema, planner_off: Sequence[str] = ()) -> pa.Table:
        """The rows of a query, in its order, as a table of `schema`, whose columns are the query's.

        `planner_off` are settings of the planner to switch off for this query, e.g. `["enable_seqscan"]`. Holds the
        rows twice. Raises psycopg.OperationalError when the server is gone, else the errors of ADBC.
        """
        # With parameters of the query the driver does not use COPY.
        statement = written_out(self._engine, query)
        with _lost_as_psycopg(), self._connection.cursor() as cursor:
            try:
                for way in planner_off:
                    cursor.execute(f"SET LOCAL {way} = off")
                cursor.execute(statement)
                return cursor.fetch_arrow_table().cast(schema)
            finally:
                # An open transaction would keep the server from clearing away what was replaced.
                self._connection.rollback()

    def stream(self, query: Select, schema: pa.Schema, seconds: float) -> Iterator[pa.RecordBatch]:
        """The rows of a query as `read` gives them, some thousand at a time, within so many seconds.

        Raises what `read` raises.
        """
        statement = written_out(self._engine, query)
        with _lost_as_psycopg(), self._connection.cursor() as cursor:
            try:
                cursor.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
                cursor.execute(statement)
                for batch in cursor.fetch_record_batch():
                    yield batch.cast(schema)
            finally:
                self._connection.rollback()


def written_out(engine: Engine, query: Select) -> str:
    """The SQL of a query with its parameters in it, quoted by the driver: COPY takes none."""
    with engine.connect() as connection:
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        return psycopg.ClientCursor(driver_connection(connection)).mogrify(str(compiled), compiled.params)


@contextmanager
def open_reader(engine: Engine) -> Iterator[ArrowReader]:
    """A reader of the engine's database, closed when the block ends; opening costs 60 ms: the driver reads all types.

    Raises psycopg.OperationalError when the server does not answer.
    """
    from adbc_driver_postgresql import dbapi

    with engine.connect() as connection:
        info = driver_connection(connection).info
        server = make_conninfo(info.dsn, password=info.password)
    with _lost_as_psycopg():
        opened = dbapi.connect(server)
    with opened as reading:
        yield ArrowReader(engine, reading)


@contextmanager
def _lost_as_psycopg() -> Iterator[None]:
    """Errors that `open_engine` turns into a message for people."""
    from adbc_driver_postgresql import dbapi

    try:
        yield
    except dbapi.OperationalError as error:
        raise psycopg.OperationalError(str(error)) from error
