"""All products of a filter as a file, bytes after bytes: memory does not grow with their number."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import pyarrow as pa
from psycopg import sql
from sqlalchemy import ColumnElement, Engine, Select, Text, case, cast, func

from include.schema import LABELS
from include.warehouse.copying_out import open_reader, written_out
from include.warehouse.engine import driver_connection
from include.warehouse.product_filter import ProductFilter
from include.warehouse.product_sql import products_select
from include.warehouse.reading import answered, read

logger = logging.getLogger(__name__)

EXPORT_SECONDS = 900
CHUNK_BYTES = 256 * 1024
ROW_GROUP_ROWS = 20_000
BYTE_ORDER_MARK = "\ufeff".encode()
"""By which spreadsheets know UTF-8."""
FORMULA_START = "^[=+\\-@\t\r\n＝＋－＠]"
"""How a text begins that a spreadsheet would run; such a text gets an apostrophe in front."""

_OTHER_TYPES = {
    "source": pa.string(), "decided_by": pa.string(), "predicted_label": pa.string(),
    "predicted_confidence": pa.float32(), "first_seen_day": pa.date32(), "last_seen_day": pa.date32(),
    "top_labels": pa.string(),
}  # fmt: skip


def export_csv(engine: Engine, wanted: ProductFilter, columns: tuple[str, ...]) -> Iterator[bytes]:
    """`product_id` and columns of the products as CSV (UTF-8 with a byte order mark, header first).

    Absent values are empty, flags have a space between, a text that a spreadsheet would run as a formula begins with an
    apostrophe. If an error ends the export, its last line says so; raises WarehouseUnreachable or TooSlow only if it
    comes before the first byte.
    """
    rows = 0
    try:
        for lines, chunk in _chunks(engine, _inert(products_select(wanted, columns))):
            yield chunk if rows else BYTE_ORDER_MARK + chunk
            rows += lines
    except Exception as error:
        if not rows:
            raise
        logger.exception("an export was cut off after %d lines", rows)
        yield f'"This export is not complete: {type(error).__name__} ended it after {rows - 1} products"\n'.encode()


def export_parquet(engine: Engine, wanted: ProductFilter, columns: tuple[str, ...]) -> Iterator[bytes]:
    """The same products and columns as a Parquet file (zstd), with the types of the lake; `top_labels` is JSON.

    A file that an error has cut off has no end, and no reader opens it. Raises WarehouseUnreachable or
    TooSlow.
    """
    import pyarrow.parquet as pq

    query = products_select(wanted, columns)
    schema = pa.schema([(name, _arrow_type(name)) for name in query.selected_columns.keys()])  # noqa: SIM118
    query = query.with_only_columns(*(_as_exported(column) for column in query.selected_columns))
    sink = _Sink()
    with (
        answered(engine),
        open_reader(engine) as reader,
        pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer,
    ):
        for group in _groups(reader.stream(query, schema, EXPORT_SECONDS), schema):
            writer.write_table(group)
            yield sink.drain()
    yield sink.drain()


class _Sink:
    """What is written, until it is taken away."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """What was written can still be taken."""

    def drain(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def _chunks(engine: Engine, query: Select) -> Iterator[tuple[int, bytes]]:
    """Lines of CSV, the header first: how many, and their bytes."""
    with read(engine, statement_seconds=EXPORT_SECONDS) as connection:
        statement = f"COPY ({written_out(engine, query)}) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')"
        with driver_connection(connection).cursor() as cursor, cursor.copy(sql.SQL(statement)) as copy:
            lines, size = [], 0
            for line in copy:
                lines.append(line)
                size += len(line)
                if size >= CHUNK_BYTES:
                    yield len(lines), b"".join(lines)
                    lines, size = [], 0
            if lines:
                yield len(lines), b"".join(lines)


def _inert(query: Select) -> Select:
    """The query with every text made harmless for spreadsheets."""
    return query.with_only_columns(*(_harmless(column) for column in query.selected_columns))


def _harmless(column: ColumnElement) -> ColumnElement:
    if isinstance(column.type, Text):
        value: ColumnElement = column
    elif isinstance(_arrow_type(column.name), pa.ListType):
        value = func.array_to_string(column, " ")
    else:
        return _as_exported(column)
    return case((value.regexp_match(FORMULA_START), func.concat("'", value)), else_=value).label(column.name)


def _as_exported(column: ColumnElement) -> ColumnElement:
    return cast(column, Text).label(column.name) if column.name == "top_labels" else column


def _arrow_type(name: str) -> pa.DataType:
    return _OTHER_TYPES.get(name) or LABELS.field(name).type


def _groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= ROW_GROUP_ROWS:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)
