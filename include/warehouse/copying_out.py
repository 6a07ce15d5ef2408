"""Many rows of a query as an Arrow table, by COPY and parsed in C++: half the cost of rows as Python objects."""

from __future__ import annotations

import pyarrow as pa
from psycopg import sql
from pyarrow import csv
from sqlalchemy import Connection, Select

from include.warehouse.engine import driver_connection

LARGEST_BLOCK = 2**30
"""Bytes parsed at a time; a row must fit."""


def read_arrow(connection: Connection, query: Select, schema: pa.Schema) -> pa.Table:
    """The rows of a query, in its order, as a table of `schema`: text, dates, numbers; other types as their text.

    The columns of the query are those of the schema. Runs in the connection's transaction and holds the rows twice.
    """
    compiled = query.compile(connection)
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)").format(sql.SQL(str(compiled)))
    with driver_connection(connection).cursor() as cursor, cursor.copy(statement, compiled.params or None) as rows:
        content = b"".join(rows)
    if not content:
        return schema.empty_table()
    return csv.read_csv(
        pa.BufferReader(content),
        read_options=csv.ReadOptions(
            column_names=schema.names, block_size=min(len(content), LARGEST_BLOCK), use_threads=False
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        # An absent value is the only one that is not quoted.
        convert_options=csv.ConvertOptions(
            column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    ).cast(schema)
