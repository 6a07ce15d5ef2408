"""Whatever text a product holds arrives in PostgreSQL as it is."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from include.schema import PROBABILITY
from include.warehouse.copying import copy_batches

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("texts", pa.list_(pa.string())),
        ("objects", pa.list_(PROBABILITY)),
        ("number", pa.float32()),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us", tz="UTC")),
    ]
)
CREATE = """
    CREATE TEMP TABLE pairs
    (text text, texts text[], objects jsonb, number real, day date, moment timestamptz, place serial)
"""
NASTY = st.one_of(
    st.sampled_from(["\\.", "\n\\.\n", "NULL", "\\N", "null"]),
    st.text(
        alphabet=st.one_of(
            st.sampled_from("\t\n\r\\\"',;{}[]|:%$ é香🍾\u200f\x01\x7f"),
            st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
        ),
        max_size=12,
    ),
)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
OBJECTS = st.lists(
    st.fixed_dictionaries({"label": st.none() | NASTY, "probability": st.none() | st.floats(0, 1, width=32)}),
    max_size=3,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | NASTY,
            "texts": st.none() | st.lists(st.none() | NASTY, max_size=4),
            "objects": st.none() | OBJECTS,
            "number": st.none() | NUMBERS,
            "day": st.none() | st.dates(min_value=date(1, 1, 1)),
            "moment": st.none() | st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        }
    ),
    max_size=8,
)


@pytest.fixture
def connection(module_warehouse: Engine) -> Any:
    url = module_warehouse.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        yield connection


def round_trip(connection: psycopg.Connection, batches: list[pa.RecordBatch]) -> list[dict[str, Any]]:
    """The batches as PostgreSQL gives them back."""
    connection.rollback()
    connection.execute(CREATE)
    assert copy_batches(connection, "pairs", batches) == sum(batch.num_rows for batch in batches)
    rows = connection.execute("SELECT text, texts, objects, number, day, moment FROM pairs ORDER BY place").fetchall()
    found = [dict(zip(SCHEMA.names, row, strict=True)) for row in rows]
    # Numbers of 32 bits come back as the shortest decimals that mean them.
    return pa.RecordBatch.from_pylist(found, schema=SCHEMA).to_pylist()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, split=st.integers(0, 8))
def test_every_row_comes_back_as_it_was_sent_whatever_its_text(
    connection: psycopg.Connection, rows: list[dict[str, Any]], split: int
) -> None:
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    assert round_trip(connection, [batch.slice(0, split), batch.slice(split)]) == batch.to_pylist()


@pytest.mark.parametrize(
    "text", ["\\.", "\n\\.\n", "", "NULL", "\\N", '"', '""', "a\rb\nc\r\nd", "{}", '{"a",NULL}', "'; --"]
)
def test_text_that_means_something_to_copy_is_only_text(connection: psycopg.Connection, text: str) -> None:
    row = {"text": text, "texts": [text, None], "objects": [{"label": text, "probability": 0.5}]}
    (back,) = round_trip(connection, [pa.RecordBatch.from_pylist([row], schema=SCHEMA)])
    assert {name: back[name] for name in row} == row


def test_an_absent_value_and_an_empty_one_stay_different(connection: psycopg.Connection) -> None:
    rows = [
        {"text": None, "texts": None, "objects": None},
        {"text": "", "texts": [], "objects": []},
        {"text": " ", "texts": [""], "objects": [{"label": "", "probability": None}]},
    ]
    back = round_trip(connection, [pa.RecordBatch.from_pylist(rows, schema=SCHEMA)])
    assert [{name: row[name] for name in ("text", "texts", "objects")} for row in back] == rows


def test_a_nul_character_is_replaced_and_logged_instead_of_stopping_the_batch(
    connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    row = {"text": "a\x00b", "texts": ["\x00"], "objects": [{"label": "x\x00", "probability": 1.0}]}
    with caplog.at_level(logging.WARNING):
        (back,) = round_trip(connection, [pa.RecordBatch.from_pylist([row], schema=SCHEMA)])
    assert (back["text"], back["texts"]) == ("a\ufffdb", ["\ufffd"])
    assert back["objects"] == json.loads('[{"label": "x\ufffd", "probability": 1.0}]')
    assert "column text holds NUL" in caplog.text


def test_nothing_to_copy_is_no_error(connection: psycopg.Connection) -> None:
    assert round_trip(connection, []) == []


def test_a_type_that_no_table_has_is_refused_by_the_name_of_its_column(connection: psycopg.Connection) -> None:
    batch = pa.RecordBatch.from_pydict({"number": [1]})
    connection.rollback()
    connection.execute(CREATE)
    with pytest.raises(TypeError, match="column number: no binary format is written down for int64"):
        copy_batches(connection, "pairs", [batch])
