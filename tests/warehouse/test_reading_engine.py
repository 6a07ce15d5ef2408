"""The engine of pages says in plain words why a query got no answer, also where nobody called `read`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from include.errors import WarehouseUnreachable
from include.settings import Settings
from include.warehouse.engine import driver_connection
from include.warehouse.reading import TablesOutdated, TooSlow, open_pages_engine, pages_engine, read
from tests.fixtures.storage import free_port


@pytest.fixture
def reader(warehouse: Engine, warehouse_settings: Settings) -> Iterator[Engine]:
    with open_pages_engine(warehouse_settings.warehouse_dsn, statement_seconds=0.2) as engine:
        yield engine


def run(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def test_a_query_that_takes_too_long_is_refused_with_what_to_do(reader: Engine) -> None:
    with pytest.raises(TooSlow, match="filter by more"):
        run(reader, "SELECT pg_sleep(5)")
    run(reader, "SELECT 1")


def test_a_cursor_of_the_driver_is_refused_in_the_same_words(reader: Engine) -> None:
    with pytest.raises(TooSlow, match="filter by more"), read(reader) as connection:
        driver_connection(connection).execute("SELECT pg_sleep(5)")
    with read(reader, statement_seconds=10) as connection:
        driver_connection(connection).execute("SELECT pg_sleep(0.3)")


def test_tables_of_an_earlier_release_are_named_as_such(reader: Engine) -> None:
    for statement in ("SELECT 1 FROM table_of_tomorrow", "SELECT column_of_tomorrow FROM labelled_products"):
        with pytest.raises(TablesOutdated, match="of an earlier release"):
            run(reader, statement)


def test_an_error_of_the_program_stays_one(reader: Engine) -> None:
    with pytest.raises(ProgrammingError):
        run(reader, "SELECT FROM WHERE")


def test_a_warehouse_that_does_not_answer_is_named_without_its_password(warehouse_settings: Settings) -> None:
    port = free_port()
    dsn = make_url(warehouse_settings.warehouse_dsn).set(port=port, password="secret-word")
    engine = pages_engine(dsn.render_as_string(hide_password=False))
    with pytest.raises(WarehouseUnreachable, match=f":{port}/") as caught:
        run(engine, "SELECT 1")
    assert "secret-word" not in str(caught.value)
