"""Rows that leave by COPY are the rows that a cursor gives."""

from __future__ import annotations

from datetime import date

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, cast, delete, func, literal, select

from include.errors import WarehouseUnreachable
from include.settings import Settings
from include.warehouse import copying_out
from include.warehouse.copying import copy_batches
from include.warehouse.copying_out import open_reader
from include.warehouse.engine import driver_connection, open_engine
from include.warehouse.tables import training_labels
from tests.fixtures.storage import free_port

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("product_id", "origin", "label", "source")] + [("day", pa.date32())]
)
_texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])) | st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\\N", "\\", "", " ", "%", "%%s", "NULL", "nan", "\u2028"]
)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_texts, min_size=1, max_size=8))
def test_any_text_comes_out_as_it_went_in(warehouse: Engine, texts: list[str]) -> None:
    rows = [(f"x:{number:03d}", "rule", one, texts[-1], date(1999, 12, 31)) for number, one in enumerate(texts)]
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)
    with warehouse.begin() as connection:
        connection.execute(delete(training_labels))
        copy_batches(driver_connection(connection), "training_labels", table.to_batches())
    with open_reader(warehouse) as reader:
        # A parameter and a percent sign: both go through the driver's hands.
        query = select(training_labels).where(training_labels.c.product_id.like("x:%"), training_labels.c.label != "no")
        found = reader.read(query.order_by(training_labels.c.product_id), SCHEMA)
    assert found.to_pylist() == [row for row in table.to_pylist() if row["label"] != "no"]


def test_absent_is_not_empty_and_no_rows_are_a_table(warehouse: Engine) -> None:
    from include.warehouse.tables import labelled_products

    schema = pa.schema([("product_id", pa.string()), ("confidence", pa.float32()), ("flags", pa.list_(pa.string()))])
    query = select(*(labelled_products.c[name] for name in schema.names))
    with open_reader(warehouse) as reader:
        assert reader.read(query, schema).equals(schema.empty_table())
        values = select(
            *(
                cast(value, column.type).label(column.name)
                for column, value in zip(query.selected_columns, [None, None, ["", "a,b"]], strict=True)
            )
        )
        found = reader.read(values, schema)
    assert found.schema.equals(schema)
    assert found.to_pylist() == [{"product_id": None, "confidence": None, "flags": ["", "a,b"]}]


def test_ways_that_are_off_are_off_for_this_query_only(warehouse: Engine) -> None:
    query = select(func.current_setting("enable_seqscan").label("found"))
    with open_reader(warehouse) as reader:
        for planner_off, expected in ((["enable_seqscan"], "off"), ([], "on")):
            found = reader.read(query, pa.schema([("found", pa.string())]), planner_off)
            assert found.to_pylist() == [{"found": expected}]


def test_a_server_that_does_not_answer_is_told_apart_from_a_wrong_query(
    warehouse_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = pa.schema([("one", pa.int32())])
    with open_engine(warehouse_settings.warehouse_dsn) as engine, open_reader(engine) as reader:
        with pytest.raises(Exception, match="division by zero") as wrong:
            reader.read(select((literal(1) / func.length("")).label("one")), schema)
        assert not isinstance(wrong.value, psycopg.OperationalError)
        assert reader.read(select(literal(1).label("one")), schema).to_pylist() == [{"one": 1}]
    monkeypatch.setattr(copying_out, "make_conninfo", lambda *_, **__: f"host=127.0.0.1 port={free_port()} dbname=x")
    with (
        pytest.raises(WarehouseUnreachable, match="is not reachable"),
        open_engine(warehouse_settings.warehouse_dsn) as engine,
        open_reader(engine),
    ):
        pass


def test_a_server_that_went_away_between_two_queries_is_told_as_such(warehouse_settings: Settings) -> None:
    query, schema = select(func.pg_backend_pid().label("pid")), pa.schema([("pid", pa.int32())])
    with (
        pytest.raises(WarehouseUnreachable, match="is not reachable"),
        open_engine(warehouse_settings.warehouse_dsn) as engine,
        open_reader(engine) as reader,
    ):
        (row,) = reader.read(query, schema).to_pylist()
        with engine.connect() as connection:
            connection.execute(select(func.pg_terminate_backend(row["pid"])))
        reader.read(query, schema)
