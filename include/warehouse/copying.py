"""COPY of Arrow data into PostgreSQL: encoded column by column in C++, sent while the next chunk is encoded.

The format is CSV: an absent value is an empty unquoted field, every text is quoted, lists of texts are
array literals, lists of structs are JSON. All text survives, with one exception: PostgreSQL cannot store
the character NUL, which becomes U+FFFD (validation sets such records aside, so it is left in quarantine rows only).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from psycopg import sql

logger = logging.getLogger(__name__)

NUL = "\x00"
REPLACEMENT = "\ufffd"
CSV_OPTIONS = pa_csv.WriteOptions(include_header=False, quoting_style="needed")


def copy_batches(connection: psycopg.Connection, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Append batches to a table whose columns have the batches' names, in any order; returns the number of rows.

    Runs in the connection's transaction. Holds one encoded batch in memory. Raises psycopg.DataError
    when a value does not fit its column.
    """
    rows = 0
    batches = iter(batches)
    first = next(batches, None)
    if first is None:
        return rows
    columns = sql.SQL(", ").join(map(sql.Identifier, first.schema.names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), columns)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        batch: pa.RecordBatch | None = first
        while batch is not None:
            copy.write(encode(batch))
            rows += batch.num_rows
            batch = next(batches, None)
    return rows


def encode(batch: pa.RecordBatch) -> pa.Buffer:
    """The rows of a batch as CSV, as COPY reads it."""
    columns = [_encoded(column, name) for column, name in zip(batch.columns, batch.schema.names, strict=True)]
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(pa.RecordBatch.from_arrays(columns, batch.schema.names), sink, CSV_OPTIONS)
    return sink.getvalue()


def _encoded(column: pa.Array, name: str) -> pa.Array:
    if pa.types.is_string(column.type):
        return without_nul(column, name)
    if not pa.types.is_list(column.type):
        return column
    values = column.flatten()
    if pa.types.is_struct(column.type.value_type):
        return _joined(column, _json_objects(values), "[", "]")
    quoted = pc.binary_join_element_wise('"', _escaped(without_nul(values, name)), '"', "")
    return _joined(column, pc.fill_null(quoted, "NULL"), "{", "}")


def without_nul(texts: pa.Array, name: str) -> pa.Array:
    """The texts with the character NUL, which PostgreSQL refuses, replaced by U+FFFD; logged when there is any."""
    if not pc.any(pc.match_substring(texts, NUL)).as_py():
        return texts
    logger.warning("column %s holds NUL characters: they are loaded as U+FFFD", name)
    return pc.replace_substring(texts, NUL, REPLACEMENT)


def _escaped(texts: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')


def _joined(lists: pa.Array, values: pa.Array, opening: str, closing: str) -> pa.Array:
    """Encoded values put together again as their lists were; an absent list stays absent."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    texts = pc.binary_join(pa.ListArray.from_arrays(offsets, values), ",")
    texts = pc.binary_join_element_wise(opening, texts, closing, "")
    return pc.if_else(lists.is_valid(), texts, pa.scalar(None, pa.string()))


def _json_objects(structs: pa.Array) -> pa.Array:
    parts: list[pa.Array | str] = []
    for number, field in enumerate(structs.type):
        parts += [("," if number else "{") + json.dumps(field.name) + ":", _json_scalars(structs.field(number))]
    return pc.binary_join_element_wise(*parts, "}", "")


def _json_scalars(values: pa.Array) -> pa.Array:
    """Texts and numbers as JSON. Texts repeat (they are labels), so each different one is encoded once."""
    if not pa.types.is_string(values.type):
        return pc.fill_null(pc.cast(values, pa.string()), "null")
    different = values.dictionary_encode()
    encoded = [
        json.dumps(text.replace(NUL, REPLACEMENT), ensure_ascii=False) for text in different.dictionary.to_pylist()
    ]
    return pc.fill_null(pa.array(encoded, pa.string()).take(different.indices), "null")
