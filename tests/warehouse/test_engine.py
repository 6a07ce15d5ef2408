"""The warehouse opens with its tables in place, and says clearly when it cannot be opened."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import ProgrammingError

from include.errors import ConfigurationError, WarehouseUnreachable
from include.settings import Settings
from include.warehouse import engine as engine_module
from include.warehouse.engine import open_engine, upgrade, warehouse_url
from include.warehouse.search_tables import METADATA
from tests.fixtures.storage import free_port


def test_migrations_create_exactly_the_tables_columns_indexes_and_comments_of_the_metadata(warehouse: Engine) -> None:
    with warehouse.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_pages_have_the_room_that_the_metadata_asks_for(warehouse: Engine) -> None:
    query = text("SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL")
    with warehouse.connect() as connection:
        options = connection.execute(query).all()
    found = {name: dict(option.split("=") for option in given) for name, given in options if name in METADATA.tables}
    asked = {name: table.dialect_options["postgresql"]["with"] for name, table in METADATA.tables.items()}
    assert found == {name: {key: str(value) for key, value in given.items()} for name, given in asked.items() if given}
    assert found


def test_keys_begin_with_the_columns_that_the_metadata_names_first(warehouse: Engine) -> None:
    found = inspect(warehouse)
    keys = {name: found.get_pk_constraint(name)["constrained_columns"] for name in METADATA.tables}
    assert keys == {name: [column.name for column in table.primary_key] for name, table in METADATA.tables.items()}


def test_every_table_and_column_has_a_comment() -> None:
    assert len(METADATA.tables) == 12
    for table in METADATA.tables.values():
        assert table.comment
        assert [column.name for column in table.columns if not column.comment] == []


def test_the_newest_revision_named_in_the_code_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(engine_module.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [engine_module.HEAD]


def test_upgrading_twice_changes_nothing_and_needs_no_file_in_the_working_folder(
    warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with warehouse.begin() as connection:
        connection.execute(
            text("INSERT INTO batches (source, day, kind, status) VALUES ('s', '2026-01-01', 'daily', 'failed')")
        )
    upgrade(warehouse)
    with warehouse.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM batches")) == 1


def test_promotions_can_only_be_added_to(warehouse: Engine) -> None:
    row = (
        "INSERT INTO promotions (candidate_version, promoted, reason, decided_by) VALUES ('2', false, 'worse', 'gate')"
    )
    with warehouse.begin() as connection:
        connection.execute(text(row))
    for statement in ("UPDATE promotions SET promoted = true", "DELETE FROM promotions", "TRUNCATE promotions"):
        with pytest.raises(ProgrammingError, match="append-only"), warehouse.begin() as connection:
            connection.execute(text(statement))


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    port = free_port()
    dsn = f"postgresql://cuvee:geheim@127.0.0.1:{port}/cuvee"
    with pytest.raises(WarehouseUnreachable) as caught, open_engine(dsn):
        pytest.fail("nothing answers there")
    message = str(caught.value)
    assert f"127.0.0.1:{port}/cuvee" in message
    assert "CUVEE_WAREHOUSE_URL" in message
    assert "python -m include up" in message
    assert "geheim" not in message


def test_a_wrong_password_is_reported_without_the_password(warehouse_settings: Settings) -> None:
    wrong = warehouse_settings.warehouse_dsn.replace("@", "geheim@")
    with pytest.raises(WarehouseUnreachable, match="password authentication failed") as caught, open_engine(wrong):
        pytest.fail("the password is wrong")
    assert "geheim" not in str(caught.value)


def test_a_connection_lost_in_the_middle_is_reported_as_an_unreachable_warehouse(warehouse_settings: Settings) -> None:
    with (
        pytest.raises(WarehouseUnreachable, match="run the step again"),
        open_engine(warehouse_settings.warehouse_dsn) as engine,
        engine.connect() as victim,
        engine.connect() as killer,
    ):
        pid = victim.scalar(text("SELECT pg_backend_pid()"))
        killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        victim.execute(text("SELECT 1"))


def test_a_server_that_accepts_and_says_nothing_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "CONNECT_SECONDS", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        dsn = f"postgresql://cuvee:x@127.0.0.1:{silent.getsockname()[1]}/cuvee"
        with pytest.raises(WarehouseUnreachable, match="timeout"), open_engine(dsn):
            pytest.fail("nothing answers there")


def test_without_a_warehouse_the_message_names_the_command_that_starts_one(tmp_path: Path) -> None:
    with (
        pytest.raises(WarehouseUnreachable, match="python -m include up"),
        open_engine(Settings(state_dir=tmp_path, warehouse_url=SecretStr("")).warehouse_dsn),
    ):
        pytest.fail("there is none")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg2", "postgresql+psycopg"])
def test_any_postgresql_driver_in_the_setting_becomes_the_one_that_can_copy(scheme: str) -> None:
    assert warehouse_url(f"{scheme}://a:b@host/cuvee").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["no url at all", "mysql://a:geheim@host/cuvee"])
def test_a_url_of_something_else_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CUVEE_WAREHOUSE_URL") as caught:
        warehouse_url(url)
    assert "geheim" not in str(caught.value)
