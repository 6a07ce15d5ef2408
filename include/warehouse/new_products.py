"""Products of a batch that the warehouse has never seen: their rows go straight into its tables.

Rows that may meet older ones are copied into a temporary table and merged, so that they are written twice. A new
product meets nothing: its rows are copied into the tables themselves, in half the time. One file has both kinds, hence
`is_known`: for each row of the file whether it has to be merged, bool (rows,).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Table, func, literal, select, union_all

from include.warehouse.copying import copy_batches
from include.warehouse.engine import driver_connection
from include.warehouse.tables import label_history, labelled_products

NUMBERED = pa.schema([("row", pa.int32()), ("product_id", pa.string()), ("model_version", pa.string())])
"""The columns of a labels file by which its rows are found: their numbers, from 0, and their ids."""
LABEL_GIVEN = ("product_id", "content_hash", "model_version", "label", "confidence", "decision", "modality")
"""Columns that `label_history` takes from a labels file."""


def numbered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows of `NUMBERED` for batches that have its other columns."""
    start = 0
    for batch in batches:
        rows = pa.array(np.arange(start, start + batch.num_rows, dtype=np.int32))
        yield pa.record_batch([rows, batch.column("product_id"), batch.column("model_version")], schema=NUMBERED)
        start += batch.num_rows


def known_rows(connection: Connection, incoming: Table, rows: int) -> np.ndarray:
    """bool (rows,): the product is in `labelled_products`, or was labelled by the model version before.

    `incoming` has the columns of `NUMBERED`. Holds true until the transaction ends if no other load of the source runs.
    """
    products = select(incoming.c.row).join(labelled_products, labelled_products.c.product_id == incoming.c.product_id)
    # A product that went with a rerun of its day leaves its history.
    labels = select(incoming.c.row).join(
        label_history,
        (label_history.c.model_version == incoming.c.model_version)
        & (label_history.c.product_id == incoming.c.product_id),
    )
    met = union_all(products, labels).subquery()
    # As bytes: a row for each would become a Python object for each.
    found: bytes | None = connection.scalar(select(func.string_agg(func.int4send(met.c.row), literal(b""))))
    is_known = np.zeros(rows, dtype=bool)
    is_known[np.frombuffer(found or b"", ">i4")] = True
    return is_known


def rows_where(batches: Iterable[pa.RecordBatch], wanted: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The rows of batches, one after the other, where `wanted`, bool (rows,), is true; no batch without rows."""
    start = 0
    for batch in batches:
        mask = wanted[start : start + batch.num_rows]
        start += batch.num_rows
        if mask.all():
            yield batch
        elif mask.any():
            yield batch.filter(pa.array(mask))


def copy_new(
    connection: Connection, read: Callable[[list[str] | None], Iterable[pa.RecordBatch]], source: str, day: date
) -> int:
    """Append products of a labels file to `labelled_products`, and their labels to the history; returns their number.

    `read` gives the rows, of all columns or of those named; it is called once for each table. Raises
    psycopg.errors.UniqueViolation if a product is there already, or comes twice.
    """
    driver = driver_connection(connection)
    products = (_as_first_seen(batch, source, day) for batch in read(None))
    copied = copy_batches(driver, labelled_products.name, products)
    labels = (_with(batch, first_day=day, last_day=day) for batch in read(list(LABEL_GIVEN)))
    copy_batches(driver, label_history.name, labels)
    return copied


def _as_first_seen(batch: pa.RecordBatch, source: str, day: date) -> pa.RecordBatch:
    complete = _with(batch, source=source, decided_by="model", first_seen_day=day, last_seen_day=day)
    return complete.append_column("predicted_label", batch.column("label")).append_column(
        "predicted_confidence", batch.column("confidence")
    )


def _with(batch: pa.RecordBatch, **values: str | date) -> pa.RecordBatch:
    """The batch with columns of one value each."""
    for name, value in values.items():
        batch = batch.append_column(name, pa.repeat(pa.scalar(value), batch.num_rows))
    return batch
