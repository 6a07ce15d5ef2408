"""COPY of Arrow data into PostgreSQL: encoded column by column in C++, sent while the next chunk is encoded.

The format is PostgreSQL's binary one (https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS):
the server neither scans for separators nor parses numbers and times, which takes a third off a load. A field is its
length in bytes and the value as the type's binary input wants it; an absent value has length -1 and no bytes.

All text survives, with one exception: PostgreSQL cannot store the character NUL, which becomes U+FFFD
(validation sets such records aside, so it is left in quarantine rows only).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

logger = logging.getLogger(__name__)

NUL = "\x00"
REPLACEMENT = "\ufffd"

SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END = b"\xff\xff"
JSONB_VERSION = "\x01"
TEXT_OID = 25
EPOCH_DAYS = 10_957
"""Days from 1970-01-01, where Arrow counts from, to 2000-01-01, where PostgreSQL does."""
EPOCH_MICROSECONDS = EPOCH_DAYS * 86_400 * 1_000_000

PLAIN_NUMBERS = {pa.int32(): ">i4", pa.float32(): ">f4"}
"""Types that PostgreSQL writes down as Arrow does, the highest byte first."""
BYTES = pa.large_binary()
"""A chunk's fields and rows while they are put together: 64-bit offsets, so that no chunk is too long."""
NOTHING = pa.scalar(b"", BYTES)
ABSENT = pa.scalar(None, BYTES)


def copy_batches(connection: psycopg.Connection, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Append batches to a table whose columns have the batches' names, in any order; returns the number of rows.

    Runs in the connection's transaction. Holds two encoded batches in memory: while one is sent, a thread reads and
    encodes the next. Raises psycopg.DataError when a value does not fit its column, TypeError for a type that no
    table of the warehouse has, and what reading `batches` raises.
    """
    batches = iter(batches)
    first = next(batches, None)
    if first is None:
        return 0
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="encode") as thread:
        return copy_encoded(connection, table, first.schema.names, _encoded_ahead(thread, first, batches))


def _encoded_ahead(
    thread: ThreadPoolExecutor, first: pa.RecordBatch, others: Iterator[pa.RecordBatch]
) -> Iterator[pa.Buffer]:
    def encode_next() -> pa.Buffer | None:
        batch = next(others, None)
        return None if batch is None else encode(batch)

    rows: pa.Buffer | None = encode(first)
    while rows is not None:
        following = thread.submit(encode_next)
        yield rows
        rows = following.result()


def copy_encoded(connection: psycopg.Connection, table: str, names: Sequence[str], encoded: Iterable[pa.Buffer]) -> int:
    """Append rows as `encode` gives them to the named columns of a table; returns the number of rows."""
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.Identifier(table), columns)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(SIGNATURE)
            for rows in encoded:
                copy.write(rows)
            copy.write(END)
        return cursor.rowcount


def encode(batch: pa.RecordBatch) -> pa.Buffer:
    """The rows of a batch as COPY reads them, without the signature before the first and the end after the last."""
    parts: list[pa.Array | pa.Scalar] = [pa.scalar(batch.num_columns.to_bytes(2, "big"), BYTES)]
    for column, name in zip(batch.columns, batch.schema.names, strict=True):
        parts += _fields(column, name)
    rows = _together(*parts)
    # The rows lie in memory one after the other, as they are sent.
    return rows.buffers()[2] if batch.num_rows else pa.py_buffer(b"")


def _fields(column: pa.Array, name: str) -> tuple[pa.Array | pa.Scalar, pa.Array]:
    """Lengths and values of a column's fields."""
    if pa.types.is_string(column.type):
        return _sized(without_nul(column, name))
    if pa.types.is_list(column.type):
        if pa.types.is_struct(column.type.value_type):
            return _sized(_json_arrays(column))
        return _sized(_text_arrays(column, name))
    if pa.types.is_timestamp(column.type):
        microseconds = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
        return _numbers(microseconds, ">i8", EPOCH_MICROSECONDS)
    if pa.types.is_date32(column.type):
        return _numbers(column.cast(pa.int32()), ">i4", EPOCH_DAYS)
    if column.type in PLAIN_NUMBERS:
        return _numbers(column, PLAIN_NUMBERS[column.type], 0)
    raise TypeError(f"column {name}: no binary format is written down for {column.type}")


def _sized(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    lengths = pc.fill_null(pc.binary_length(values), -1)
    return _fixed(lengths.to_numpy(zero_copy_only=False).astype(">i4")), pc.fill_null(values.cast(BYTES), NOTHING)


def _numbers(column: pa.Array, dtype: str, epoch: int) -> tuple[pa.Array | pa.Scalar, pa.Array]:
    numbers = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
    values = _fixed((numbers - epoch if epoch else numbers).astype(dtype))
    if column.null_count:
        return _sized(pc.if_else(column.is_valid(), values, ABSENT))
    return pa.scalar(np.dtype(dtype).itemsize.to_bytes(4, "big"), BYTES), values


def _fixed(numbers: np.ndarray) -> pa.Array:
    """The bytes of each element of an array (of each row of a matrix), without a copy."""
    rows = len(numbers)
    width = numbers.dtype.itemsize * (numbers.shape[1] if numbers.ndim > 1 else 1)
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    return pa.Array.from_buffers(BYTES, rows, [None, pa.py_buffer(offsets), pa.py_buffer(numbers)])


def _text_arrays(lists: pa.Array, name: str) -> pa.Array:
    """`text[]`: dimensions, whether it may hold NULL, element type, length and lower bound, then the elements."""
    elements = _together(*_sized(without_nul(lists.flatten(), name)))
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    header = np.empty((len(lists), 5), ">i4")
    header[:] = (1, 1, TEXT_OID, 0, 1)
    header[:, 3] = lengths.to_numpy(zero_copy_only=False)
    filled = _together(_fixed(header), pc.binary_join(_regrouped(lengths, elements), NOTHING))
    # An array without elements has no dimension.
    empty = pa.scalar(np.array([0, 0, TEXT_OID], ">i4").tobytes(), BYTES)
    return pc.if_else(lists.is_valid(), pc.if_else(pc.equal(lengths, 0), empty, filled), ABSENT)


def _json_arrays(lists: pa.Array) -> pa.Array:
    """`jsonb`: a version byte, then JSON text."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    texts = pc.binary_join(_regrouped(lengths, _json_objects(lists.flatten())), ",")
    texts = pc.binary_join_element_wise(JSONB_VERSION + "[", texts, "]", "")
    return pc.if_else(lists.is_valid(), texts, pa.scalar(None, pa.string()))


def _regrouped(lengths: pa.Array, values: pa.Array) -> pa.ListArray:
    """Values in lists of these lengths, as they were before they were flattened and encoded."""
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    return pa.ListArray.from_arrays(offsets, values)


def _together(*parts: pa.Array | pa.Scalar) -> pa.Array:
    """Row by row, the bytes of all parts one after the other."""
    return pc.binary_join_element_wise(*parts, NOTHING)


def without_nul(texts: pa.Array, name: str) -> pa.Array:
    """The texts with the character NUL, which PostgreSQL refuses, replaced by U+FFFD; logged when there is any."""
    if not pc.any(pc.match_substring(texts, NUL)).as_py():
        return texts
    logger.warning("column %s holds NUL characters: they are loaded as U+FFFD", name)
    return pc.replace_substring(texts, NUL, REPLACEMENT)


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
