"""`warehouse_load`: publishing 100,000 labelled rows, against `DataFrame.to_sql` of the same Parquet file.

`DataFrame.to_sql` is measured with the driver of the platform (psycopg 3) and with the one most engines still
have (`warehouse_load_psycopg2`), which sends row by row and is several times slower.

`warehouse_copy_share` is the share of a bare COPY in the publish: the time PostgreSQL takes for the same rows,
already encoded, into a table with the same columns and indexes. The publish does more: it reads Parquet, encodes,
merges so that order and reruns do not matter, and writes the history of labels.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import psycopg
from psycopg import sql
from sqlalchemy import Engine, Text, create_engine, make_url, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from include.local.postgres import PostgresServer
from include.schema import LABELS
from include.settings import Settings
from include.warehouse.copying import encode
from include.warehouse.engine import driver_connection, open_engine
from include.warehouse.lake import Lake
from include.warehouse.loading import load_day
from tests.benchmarks.measure import Figure, seconds, summarise
from tests.fixtures.storage import free_port, run_as_superuser
from tests.warehouse.rows import labels_table

ROWS = 100_000
PAIRS = 5
CHUNK_ROWS = 5_000
SOURCE = "openfoodfacts"
DAY = date(2026, 1, 5)
PATH = Lake.day_file("labels", SOURCE, DAY)


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
    times_faster, times_faster_psycopg2, copy_shares = [], [], []
    psycopg2_engine = create_engine(make_url(server.url()).set(drivername="postgresql+psycopg2"))
    with open_engine(settings) as engine:
        for _ in range(PAIRS):
            publish = _seconds(server, engine, lambda: _publish(engine, lake))
            times_faster.append(_seconds(server, engine, lambda: _to_sql(engine, lake)) / publish)
            by_psycopg2 = _seconds(server, engine, lambda: _to_sql(psycopg2_engine, lake))
            times_faster_psycopg2.append(by_psycopg2 / publish)
            encoded = [encode(batch) for batch in lake.read_parquet(PATH).to_batches(CHUNK_ROWS)]
            copy = _seconds(server, engine, lambda rows=encoded: _bare_copy(engine, rows))
            copy_shares.append(copy / publish)
    psycopg2_engine.dispose()
    return {
        "warehouse_load": summarise(times_faster, "x (against DataFrame.to_sql by psycopg 3)"),
        "warehouse_load_psycopg2": summarise(times_faster_psycopg2, "x (against DataFrame.to_sql by psycopg2)"),
        "warehouse_copy_share": summarise(copy_shares, "of the time is a bare COPY"),
    }


def _seconds(server: PostgresServer, engine: Engine, work: Callable[[], None]) -> float:
    """Time of `work` on empty tables, with nothing left to write to disk from before."""
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE labelled_products, label_history, training_labels"))
        connection.execute(text("DROP TABLE IF EXISTS plain_products"))
        connection.execute(text("CREATE TABLE plain_products (LIKE labelled_products INCLUDING ALL)"))
        for column in ("source", "decided_by", "predicted_label", "predicted_confidence", "first_seen_day"):
            connection.execute(text(f"ALTER TABLE plain_products ALTER {column} DROP NOT NULL"))
        connection.execute(text("ALTER TABLE plain_products ALTER last_seen_day DROP NOT NULL"))
    run_as_superuser(server, sql.SQL("CHECKPOINT").format())
    return seconds(work)


def _publish(engine: Engine, lake: Lake) -> None:
    load_day(engine, lake, SOURCE, DAY, labels_path=PATH, quarantine_path=None, trusted=None)


def _to_sql(engine: Engine, lake: Lake) -> None:
    frame = pd.read_parquet(lake.url(PATH))
    types = {"category_tags": ARRAY(Text), "flags": ARRAY(Text), "top_labels": JSONB}
    for column in types:
        frame[column] = [list(values) for values in frame[column]]
    frame.to_sql("plain_products", engine, if_exists="append", index=False, dtype=types)


def _bare_copy(engine: Engine, encoded: list[bytes]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, LABELS.names))
    statement = sql.SQL("COPY plain_products ({}) FROM STDIN (FORMAT csv)").format(names)
    with engine.begin() as connection:
        driver: psycopg.Connection = driver_connection(connection)
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for rows in encoded:
                copy.write(rows)
