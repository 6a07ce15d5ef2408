"""Rows that leave by COPY are the rows that a cursor gives."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from include.warehouse.copying import copy_batches
from include.warehouse.copying_out import read_arrow
from include.warehouse.engine import driver_connection
from include.warehouse.tables import training_labels

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
    with warehouse.connect() as connection:
        copy_batches(driver_connection(connection), "training_labels", table.to_batches())
        # A parameter and a percent sign: both go through the driver's hands.
        query = select(training_labels).where(training_labels.c.product_id.like("x:%"), training_labels.c.label != "no")
        found = read_arrow(connection, query.order_by(training_labels.c.product_id), SCHEMA)
        connection.rollback()
    assert found.to_pylist() == [row for row in table.to_pylist() if row["label"] != "no"]


def test_absent_is_not_empty_and_no_rows_are_a_table(warehouse: Engine) -> None:
    from include.warehouse.tables import labelled_products

    schema = pa.schema([("product_id", pa.string()), ("confidence", pa.float32()), ("brand", pa.string())])
    query = select(*(labelled_products.c[name] for name in schema.names))
    with warehouse.connect() as connection:
        assert read_arrow(connection, query, schema).equals(schema.empty_table())
