"""Pages read from the warehouse in time or not at all, cannot write, and are told in plain words why."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from include.errors import ConfigurationError, WarehouseUnreachable
from include.settings import Settings
from include.warehouse import reading
from include.warehouse.engine import driver_connection, open_engine
from include.warehouse.reading import TablesOutdated, TooSlow, open_pages_engine, pages_engine, read
from tests.fixtures.storage import free_port


@pytest.fixture
def dsn(warehouse_settings: Settings) -> str:
    """An empty warehouse with its tables."""
    with open_engine(warehouse_settings.warehouse_dsn):
        return warehouse_settings.warehouse_dsn


@pytest.mark.parametrize(
    "statement", ["DELETE FROM batches", "CREATE TABLE x ()", "SET TRANSACTION READ WRITE", "SELECT nextval('x')"]
)
def test_a_page_cannot_write(dsn: str, statement: str) -> None:
    with (
        open_pages_engine(dsn) as engine,
        pytest.raises(Exception, match=r"read-only|read-write|does not exist"),
        read(engine) as connection,
    ):
        connection.execute(text("SELECT 1"))
        connection.execute(text(statement))


def test_a_page_that_takes_too_long_says_so_and_the_next_one_works(dsn: str) -> None:
    with open_pages_engine(dsn, statement_seconds=0.2) as engine:
        with pytest.raises(TooSlow, match="took too long"), read(engine) as connection:
            connection.execute(text("SELECT pg_sleep(5)"))
        with read(engine, statement_seconds=5) as connection:
            assert connection.scalar(text("SHOW statement_timeout")) == "5s"
        with read(engine) as connection:
            assert connection.scalar(text("SHOW statement_timeout")) == "200ms"


def test_a_connection_that_was_lost_between_two_pages_is_replaced(dsn: str) -> None:
    with open_pages_engine(dsn) as engine:
        with read(engine) as connection:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
        with open_engine(dsn) as other, other.connect() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with read(engine) as connection:
            assert connection.scalar(text("SELECT pg_backend_pid()")) != pid


def test_a_connection_that_is_lost_within_a_page_is_an_unreachable_warehouse(dsn: str) -> None:
    with (
        open_pages_engine(dsn) as engine,
        pytest.raises(WarehouseUnreachable, match="is not reachable"),
        read(engine) as victim,
        open_engine(dsn) as other,
        other.connect() as killer,
    ):
        pid = victim.scalar(text("SELECT pg_backend_pid()"))
        killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        victim.execute(text("SELECT 1"))


def test_pages_wait_for_a_connection_only_so_long(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "POOL_SIZE", 1)
    monkeypatch.setattr(reading, "MOST_CONNECTIONS", 1)
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0.1)
    with open_pages_engine(dsn) as engine, read(engine), pytest.raises(TooSlow, match="busy"), read(engine):
        pytest.fail("there is one connection")


def test_all_statements_of_a_page_see_the_same_state(dsn: str) -> None:
    count = text("SELECT count(*) FROM batches")
    with open_pages_engine(dsn) as engine, read(engine) as page, open_engine(dsn) as writer:
        assert page.scalar(count) == 0
        with writer.begin() as connection:
            connection.execute(
                text("INSERT INTO batches (source, day, kind, status) VALUES ('s', '2026-01-01', 'daily', 'failed')")
            )
        assert page.scalar(count) == 0


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    port = free_port()
    with (
        open_pages_engine(f"postgresql://cuvee:geheim@127.0.0.1:{port}/cuvee") as engine,
        pytest.raises(WarehouseUnreachable, match=f"127.0.0.1:{port}/cuvee") as caught,
        read(engine),
    ):
        pytest.fail("nothing answers there")
    assert "geheim" not in str(caught.value)


def test_a_server_that_accepts_and_says_nothing_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CONNECT_SECONDS", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"postgresql://cuvee:x@127.0.0.1:{silent.getsockname()[1]}/cuvee"
        with open_pages_engine(address) as engine, pytest.raises(WarehouseUnreachable, match="timeout"), read(engine):
            pytest.fail("nothing answers there")


def test_no_url_or_another_database_is_refused_at_once() -> None:
    with pytest.raises(WarehouseUnreachable, match="python -m include up"):
        pages_engine("")
    with pytest.raises(ConfigurationError):
        pages_engine("mysql://a:b@host/x")


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
