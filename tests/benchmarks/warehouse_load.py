"""`warehouse_load`: publishing 100,000 labelled rows, against `DataFrame.to_sql` of the same Parquet file.

Both start from empty tables with their keys and indexes, and leave the same rows in `labelled_products` and
`label_history`; the first round checks that. `to_sql` is written as a notebook does: read the file, add the
columns, `to_sql` into each table, with pandas' default way of inserting. It would fail on a rerun and knows no human
labels, which the publish pays for. `warehouse_load` is against psycopg2, the driver that Airflow's own PostgreSQL
connections give a notebook. Two sterner comparisons stand beside it: `warehouse_load_psycopg3`, whose driver, the
platform's own, sends many rows without waiting for each; and `warehouse_load_one_table`, which is that driver's
`to_sql` into `labelled_products` alone against the publish into both.

`warehouse_copy_share` is what a bare COPY would take of the publish's time: the same rows of both tables, every column,
encoded beforehand, straight into the same empty tables. The publish does more: it reads Parquet, encodes, and asks
which products are known, so that order and reruns do not matter. `warehouse_reload` is publishing the same file once
more, when every product is known and no row has to be written, against publishing it first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from psycopg import sql
from sqlalchemy import Engine, Text, create_engine, make_url, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from include.local.postgres import PostgresServer
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.copying import copy_encoded, encode
from include.warehouse.engine import driver_connection, open_engine
from include.warehouse.loading import load_day
from tests.benchmarks.measure import Figure, seconds, summarise
from tests.fixtures.storage import free_port, run_as_superuser
from tests.warehouse.rows import labels_table

ROWS = 100_000
PAIRS = 5
CHUNK_ROWS = 5_000
SOURCE = "openfoodfacts"
DAY = date(2026, 1, 5)
PATH = Batch(SOURCE, DAY).file(Layer.LABELS)
GIVEN = ["product_id", "content_hash", "model_version", "label", "confidence", "decision", "modality"]
"""Columns of a label's history."""
UNITS = {
    "warehouse_load": "x (DataFrame.to_sql into the same two tables, psycopg2)",
    "warehouse_load_psycopg3": "x (DataFrame.to_sql into the same two tables, psycopg 3)",
    "warehouse_load_one_table": "x (DataFrame.to_sql into labelled_products alone, psycopg 3)",
    "warehouse_copy_share": "of the time is what a bare COPY into the same two tables takes",
    "warehouse_reload": "x (publishing the same day again, against publishing it first)",
}


def run() -> dict[str, Figure]:
    """Ratios of paired runs on a PostgreSQL of its own, with its data safely on disk each time."""
    with tempfile.TemporaryDirectory(prefix="cuvee-bench-") as folder:
        settings = Settings(state_dir=Path(folder), postgres_port=free_port())
        server = PostgresServer(settings)
        server.start()
        try:
            return _measure(server, settings)
        finally:
            server.stop()


def _measure(server: PostgresServer, settings: Settings) -> dict[str, Figure]:
    lake = Lake(settings.lake_root)
    lake.write_parquet(PATH, labels_table(range(ROWS)), row_group_rows=CHUNK_ROWS)
    ratios: dict[str, list[float]] = {name: [] for name in UNITS}
    psycopg2_engine = create_engine(make_url(server.url()).set(drivername="postgresql+psycopg2"))
    with open_engine(settings.warehouse_dsn) as engine:
        for number in range(PAIRS):
            publish = _seconds(server, engine, lambda: _publish(engine, lake))
            published = None if number else _rows(engine)
            again = seconds(lambda: _publish(engine, lake))
            one_table = _seconds(server, engine, lambda: _to_sql(engine, lake, history=False))
            for name, by in (("warehouse_load", psycopg2_engine), ("warehouse_load_psycopg3", engine)):
                ratios[name].append(_seconds(server, engine, lambda by=by: _to_sql(by, lake)) / publish)
                if published is not None and _rows(engine) != published:
                    raise AssertionError("publish and to_sql left different rows: they cannot be compared")
            ratios["warehouse_load_one_table"].append(one_table / publish)
            encoded = _encoded(lake)
            copy = _seconds(server, engine, lambda encoded=encoded: _bare_copy(engine, encoded))
            if published is not None and _rows(engine) != published:
                raise AssertionError("publish and COPY left different rows: they cannot be compared")
            ratios["warehouse_copy_share"].append(copy / publish)
            ratios["warehouse_reload"].append(again / publish)
    psycopg2_engine.dispose()
    return {name: summarise(values, UNITS[name]) for name, values in ratios.items()}


def _seconds(server: PostgresServer, engine: Engine, work: Callable[[], None]) -> float:
    """Time of `work` on empty tables, with nothing left to write to disk from before."""
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE labelled_products, label_history, training_labels"))
    run_as_superuser(server, sql.SQL("CHECKPOINT").format())
    return seconds(work)


def _rows(engine: Engine) -> list[tuple[Any, ...]]:
    """Number and digest of the rows of both tables, but for the probabilities, which to_sql widens to 64 bits."""
    digest = "SELECT count(*), sum(hashtextextended((to_jsonb(rows) - 'top_labels')::text, 0)) FROM {} AS rows"
    with engine.connect() as connection:
        return [
            tuple(connection.execute(text(digest.format(table))).one())
            for table in ("labelled_products", "label_history")
        ]


def _publish(engine: Engine, lake: Lake) -> None:
    load_day(engine, lake, SOURCE, DAY, labels_path=PATH, quarantine_path=None, trusted=None)


def _to_sql(engine: Engine, lake: Lake, *, history: bool = True) -> None:
    frame = pd.read_parquet(lake.url(PATH))
    types = {"category_tags": ARRAY(Text), "flags": ARRAY(Text), "top_labels": JSONB}
    for column in types:
        frame[column] = [list(values) for values in frame[column]]
    frame = frame.assign(
        source=SOURCE,
        decided_by="model",
        predicted_label=frame["label"],
        predicted_confidence=frame["confidence"],
        first_seen_day=DAY,
        last_seen_day=DAY,
    )
    frame.to_sql("labelled_products", engine, if_exists="append", index=False, dtype=types)
    if history:
        labels = frame[GIVEN].assign(first_day=DAY, last_day=DAY)
        labels.to_sql("label_history", engine, if_exists="append", index=False)


def _encoded(lake: Lake) -> dict[str, tuple[list[str], list[pa.Buffer]]]:
    """Columns and rows of both tables as COPY reads them."""
    labels = lake.read_parquet(PATH)
    one_value = {"source": SOURCE, "decided_by": "model", "first_seen_day": DAY, "last_seen_day": DAY}
    products = _with(labels, **one_value)
    products = products.append_column("predicted_label", labels["label"])
    products = products.append_column("predicted_confidence", labels["confidence"])
    tables = {
        "labelled_products": products,
        "label_history": _with(labels.select(GIVEN), first_day=DAY, last_day=DAY),
    }
    return {
        name: (table.column_names, [encode(batch) for batch in table.to_batches(CHUNK_ROWS)])
        for name, table in tables.items()
    }


def _with(table: pa.Table, **values: str | date) -> pa.Table:
    for name, value in values.items():
        table = table.append_column(name, pa.repeat(pa.scalar(value), table.num_rows))
    return table


def _bare_copy(engine: Engine, encoded: dict[str, tuple[list[str], list[pa.Buffer]]]) -> None:
    with engine.begin() as connection:
        for table, (names, rows) in encoded.items():
            copy_encoded(driver_connection(connection), table, names, rows)
