"""The examples of the pages work as they stand there: SQL in a real warehouse, Python on a small lake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import Engine, insert, make_url, text
from sqlalchemy.exc import ProgrammingError

from include.local.postgres import PostgresServer
from include.schema import IMAGES
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.batches import BatchRecord, record_batch, record_failure
from include.warehouse.engine import open_engine
from include.warehouse.loading import load_day
from include.warehouse.queries import run_sql
from include.warehouse.reviews import record_review
from include.warehouse.search_index import refresh_search
from include.warehouse.tables import relabellings
from tests.docs.documents import dag_pages, markdown_pages, page
from tests.fixtures.storage import run_as_superuser
from tests.warehouse.rows import labels_table, quarantine_row, quarantine_table, trusted_table

SOURCE = "openfoodfacts"
FIRST, SECOND = date(2026, 1, 5), date(2026, 1, 6)


def sql_blocks(read_only: bool) -> list[str]:
    """The statements of the warehouse page: queries, or what an administrator runs."""
    blocks = [block.content for block in page("docs/warehouse.md").blocks if block.language == "sql"]
    return [content for content in blocks if content.startswith("select") == read_only]


def python_blocks(name: str) -> list[str]:
    return [block.content for block in page(name).blocks if block.language == "python"]


def sql_commands() -> list[tuple[str, str]]:
    """The queries that pages give to `python -m include sql`."""
    documents = [*markdown_pages(), *dag_pages()]
    code = ((document.name, line) for document in documents for line in document.code)
    return [(name, query) for name, line in code for query in re.findall(r'python -m include sql "([^"]+)"', line)]


@pytest.fixture(scope="module")
def lake_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `.cuvee/lake`: two days, one of them with a photo."""
    folder = tmp_path_factory.mktemp("project")
    fill(Lake(str(folder / ".cuvee" / "lake")))
    return folder


def fill(lake: Lake) -> None:
    lake.write_parquet(Batch(SOURCE, FIRST).file(Layer.LABELS), labels_table(range(1, 8)))
    lake.write_parquet(Batch(SOURCE, SECOND).file(Layer.LABELS), labels_table(range(6, 9), label="vinegar"))
    photo = {
        "product_id": f"{SOURCE}:3000000000001", "image_url": "https://example.org/a.jpg", "status": "ok",
        "sha256": "0" * 64, "width": 1, "height": 1, "bytes": b"\xff\xd8\xff a photo",
    }  # fmt: skip
    none = dict.fromkeys(IMAGES.names) | {"product_id": f"{SOURCE}:3000000000002", "status": "no_url"}
    lake.write_parquet(Batch(SOURCE, FIRST).file(Layer.IMAGES), pa.Table.from_pylist([none, photo], schema=IMAGES))


@pytest.fixture(scope="module")
def filled(make_database: Any, lake_folder: Path) -> Iterator[Engine]:
    """A warehouse in which something of everything has happened."""
    settings = Settings(state_dir=lake_folder / ".cuvee", warehouse_url=SecretStr(make_database()))
    lake = Lake(settings.lake_root)
    quarantine = Batch(SOURCE, FIRST).file(Layer.QUARANTINE)
    lake.write_parquet(quarantine, quarantine_table(quarantine_row(1), quarantine_row(2, reasons=["code_damaged"])))
    with open_engine(settings.warehouse_dsn) as engine:
        for day, quarantine_path in ((FIRST, quarantine), (SECOND, None)):
            load_day(
                engine,
                lake,
                SOURCE,
                day,
                labels_path=Batch(SOURCE, day).file(Layer.LABELS),
                quarantine_path=quarantine_path,
                trusted=trusted_table((f"{SOURCE}:3000000000001", "champagne", "source_tag")),
            )
        drift = {"reviewed": {"value": 0.5, "bound": 0.4, "batch": 0.7, "training": 0.2, "verdict": "beyond"}}
        record_batch(
            engine,
            BatchRecord(SOURCE, FIRST, "daily", received=9, photos={"ok": 5, "not_found": 2}, drift=drift, warnings=[]),
        )
        record_failure(engine, SOURCE, SECOND, step="fetch", reason="the API does not answer")
        record_review(engine, f"{SOURCE}:3000000000002", "sparkling_wine", department="Fine Grocery", reviewer="ana")
        record_relabelling(engine)
        refresh_search(engine)
        yield engine


def record_relabelling(engine: Engine) -> None:
    """Version 2 found a vinegar among the champagnes."""
    told = {
        "model_version": "2", "previous_version": "1", "source": SOURCE, "decided_by": "model",
        "label_before": "champagne", "label_after": "vinegar", "decision_before": "review",
        "decision_after": "accepted", "products": 1,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(relabellings).values(told))


@pytest.mark.parametrize("query", sql_blocks(read_only=True), ids=lambda query: query.split("\n")[0][:60])
def test_every_query_of_the_warehouse_page_gives_rows(filled: Engine, query: str) -> None:
    _columns, rows = run_sql(filled, query)
    assert rows


def test_the_pages_have_queries_to_try() -> None:
    assert len(sql_blocks(read_only=True)) >= 8
    assert len(sql_commands()) >= 3


@pytest.mark.parametrize(("name", "query"), sql_commands())
def test_every_query_that_a_page_gives_to_the_command_line_gives_rows(filled: Engine, name: str, query: str) -> None:
    _columns, rows = run_sql(filled, query)
    assert rows, name


def test_pandas_reads_the_warehouse_as_the_page_says(
    filled: Engine, lake_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = lake_folder / ".cuvee" / "postgres" / "warehouse.url"
    address.parent.mkdir(parents=True)
    address.write_text(f"{filled.url.render_as_string(hide_password=False)}\n")
    monkeypatch.chdir(lake_folder)
    (block,) = python_blocks("docs/warehouse.md")
    result = run(block)
    assert set(result["frame"]["label"]) == {"champagne"}


def test_a_database_made_as_the_page_says_takes_the_tables_and_the_reader_reads_and_changes_nothing(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    make_it, make_reader = sql_blocks(read_only=False)
    # The embedded server has its own role and database of that name.
    make_it, make_reader = (re.sub(r"\bcuvee\b", "own_cuvee", block) for block in (make_it, make_reader))
    run_as_superuser(postgres_server, *statements(make_it))
    url = make_url(postgres_server.url("cuvee")).set(username="own_cuvee", password="change-me", database="own_cuvee")
    settings = Settings(state_dir=tmp_path, warehouse_url=SecretStr(url.render_as_string(hide_password=False)))
    with open_engine(settings.warehouse_dsn) as engine:
        with engine.connect() as connection:
            assert connection.scalar(text("select count(*) from labelled_products")) == 0
        superuser = (postgres_server.folder / "superuser.password").read_text().strip()
        as_administrator(url.set(username="postgres", password=superuser), make_reader, tmp_path)
    reader = url.set(username="analyst", password="change-me-too").render_as_string(hide_password=False)
    from sqlalchemy import create_engine

    engine = create_engine(reader)
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from labelled_products")) == 0
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("delete from labelled_products"))
    engine.dispose()


def statements(block: str) -> list[sql.Composed]:
    return [sql.Composed([sql.SQL(part)]) for part in block.split(";") if part.strip()]


def as_administrator(url: Any, block: str, folder: Path) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(url)
    with engine.begin() as connection:
        for part in filter(str.strip, block.split(";")):
            connection.execute(text(part))
    engine.dispose()


def run(block: str) -> dict[str, Any]:
    """Run an example; returns the names it has defined."""
    names: dict[str, Any] = {}
    exec(compile(block, "example", "exec"), names)  # noqa: S102 our own page
    if "connection" in names:
        names["connection"].close()
    return names


def lake_blocks(word: str) -> list[str]:
    return [block for block in python_blocks("docs/lake.md") if word in block]


def test_every_example_of_the_lake_page_is_run_but_the_one_for_spark() -> None:
    local = [block for block in python_blocks("docs/lake.md") if "s3://" not in block]
    assert len(python_blocks("docs/lake.md")) == 5
    assert [block for block in local if "pyspark" in block] == local[-1:]


def test_pandas_reads_the_lake_as_the_page_says(lake_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lake_folder)
    result = run(lake_blocks("import pandas")[0])
    assert len(result["labels"]) == 10
    assert set(result["labels"]["day"]) == {FIRST.isoformat(), SECOND.isoformat()}
    assert len(result["one_day"]) == 7
    assert list(result["one_day"].columns)[:4] == ["product_id", "name", "label", "confidence"]


def test_duckdb_reads_the_lake_as_the_page_says(lake_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lake_folder)
    result = run(lake_blocks("import duckdb")[0])
    assert result["counts"] == [(FIRST, "champagne", 7), (SECOND, "vinegar", 3)]
    assert [(row[2], row[4]) for row in result["newest"]] == [("champagne", FIRST)] * 5 + [("vinegar", SECOND)] * 3


def test_a_photo_is_taken_out_of_the_lake_as_the_page_says(lake_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lake_folder)
    run(lake_blocks("images")[0])
    assert (lake_folder / "photo").read_bytes() == b"\xff\xd8\xff a photo"


def test_a_lake_on_s3_is_read_as_the_page_says(s3_lake_url: str) -> None:
    boto3.client("s3").create_bucket(Bucket="wine", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    fill(Lake("s3://wine/lake"))
    result = run(lake_blocks("s3://")[0])
    assert len(result["labels"]) == 10
    assert result["count"] == 10
