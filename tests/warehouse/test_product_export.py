"""An export is all products of a filter, harmless in a spreadsheet, and says if it is not complete."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from include.errors import WarehouseUnreachable
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse import product_export
from include.warehouse.engine import open_engine
from include.warehouse.loading import load_day
from include.warehouse.product_export import export_csv, export_parquet
from include.warehouse.product_filter import COLUMNS, ProductFilter
from include.warehouse.reading import open_pages_engine
from include.warehouse.search_index import refresh_search
from tests.fixtures.storage import free_port
from tests.warehouse.rows import labelled_row, labels_table

SOURCE, DAY = "openfoodfacts", date(2026, 1, 5)
NAMES = (
    "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", 'quoted "name", with comma',
    "line\nbreak", "ordinary", "100 % brut", "'=already", "\\N", "<script>alert(1)</script>",
)  # fmt: skip


@pytest.fixture
def loaded(warehouse: Engine, lake: Lake) -> Engine:
    """A warehouse with products of the names above."""
    path = Batch(SOURCE, DAY).file(Layer.LABELS)
    rows = [labelled_row(number, name=name, flags=["b", "a"]) for number, name in enumerate(NAMES)]
    lake.write_parquet(path, pa.Table.from_pylist(rows, schema=labels_table([1]).schema))
    load_day(warehouse, lake, SOURCE, DAY, labels_path=path, quarantine_path=None, trusted=None)
    refresh_search(warehouse)
    return warehouse


def read_csv(content: bytes) -> list[dict[str, str]]:
    assert content.startswith("\ufeff".encode())
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_csv_has_every_product_and_no_text_that_a_spreadsheet_would_run(loaded: Engine) -> None:
    rows = read_csv(b"".join(export_csv(loaded, ProductFilter(), COLUMNS)))
    assert list(rows[0]) == list(COLUMNS)
    found = sorted((row["product_id"], row["name"]) for row in rows)
    dangerous = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
    assert [name for _, name in found] == [f"'{name}" if name.startswith(dangerous) else name for name in NAMES]
    assert not [value for row in rows for value in row.values() if value.startswith(dangerous)]
    assert {row["flags"] for row in rows} == {"b a"}
    assert {row["last_seen_day"] for row in rows} == {"2026-01-05"}


def test_a_parquet_file_has_every_product_as_it_is(loaded: Engine) -> None:
    table = pq.read_table(pa.BufferReader(b"".join(export_parquet(loaded, ProductFilter(), COLUMNS))))
    rows = sorted(table.to_pylist(), key=lambda row: row["product_id"])
    assert [row["name"] for row in rows] == list(NAMES)
    assert rows[0]["flags"] == ["b", "a"]
    assert rows[0]["last_seen_day"] == DAY
    assert table.schema.field("confidence").type == pa.float32()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ProductFilter(text="ordinary"), {"ordinary"}),
        (ProductFilter(text="brut 100"), {"100 % brut"}),
        (ProductFilter(values={"label": ("'; DROP TABLE batches; --", "100 %")}), set()),
        (ProductFilter(text="!"), set()),
    ],
)
def test_both_have_what_the_filter_wants_and_nothing_else(
    loaded: Engine, wanted: ProductFilter, expected: set[str]
) -> None:
    assert {row["name"] for row in read_csv(b"".join(export_csv(loaded, wanted, ("name",))))} == expected
    table = pq.read_table(pa.BufferReader(b"".join(export_parquet(loaded, wanted, ("name",)))))
    assert set(table["name"].to_pylist()) == expected


def test_the_last_line_says_that_an_error_cut_the_export_off(loaded: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Iterator[tuple[int, bytes]]:
        yield 1, b"product_id,name\n"
        yield 1, b"a,b\n"
        raise psycopg.OperationalError("the server went away")

    monkeypatch.setattr(product_export, "_chunks", broken)
    lines = b"".join(export_csv(loaded, ProductFilter(), ("name",))).decode().splitlines()
    assert lines[-1] == '"This export is not complete: OperationalError ended it after 1 products"'


def test_a_server_that_ends_the_connection_cuts_the_export_off_with_a_line(
    loaded: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product_export, "CHUNK_BYTES", 1)
    with loaded.begin() as connection:  # more than fits into the buffers on the way
        connection.execute(text("ALTER TABLE labelled_products ALTER COLUMN name TYPE text USING repeat(name, 100000)"))
    stream = export_csv(loaded, ProductFilter(), ("name",))
    first = next(stream)
    with loaded.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    rest = b"".join(stream)
    assert b"This export is not complete" in (first + rest).splitlines()[-1]


def test_an_export_that_is_given_up_leaves_no_query_behind(loaded: Engine) -> None:
    stream = export_csv(loaded, ProductFilter(), ("name",))
    next(stream)
    stream.close()
    with loaded.connect() as connection:
        running = connection.scalars(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (SELECT%' AND state = 'active'"
                " AND datname = current_database()"
            )
        ).one()
    assert running == 0


def test_a_server_that_is_not_there_is_an_error_and_no_file() -> None:
    with open_pages_engine(f"postgresql://a:b@127.0.0.1:{free_port()}/x") as engine:
        for export in (export_csv, export_parquet):
            with pytest.raises(WarehouseUnreachable, match="is not reachable"):
                next(iter(export(engine, ProductFilter(), ("name",))))


def test_an_empty_warehouse_gives_a_header_and_an_empty_table(warehouse: Engine) -> None:
    assert b"".join(export_csv(warehouse, ProductFilter(), ("name",))).decode("utf-8-sig") == "product_id,name\n"
    table = pq.read_table(pa.BufferReader(b"".join(export_parquet(warehouse, ProductFilter(), ("name",)))))
    assert (table.num_rows, table.column_names) == (0, ["product_id", "name"])


def test_an_engine_for_pages_can_export(loaded: Engine, warehouse_settings: Any) -> None:
    with open_engine(warehouse_settings.warehouse_dsn), open_pages_engine(warehouse_settings.warehouse_dsn) as engine:
        assert len(read_csv(b"".join(export_csv(engine, ProductFilter(), ("name",))))) == len(NAMES)
        parquet = b"".join(export_parquet(engine, ProductFilter(), ("name",)))
        assert pq.read_table(pa.BufferReader(parquet)).num_rows == len(NAMES)
