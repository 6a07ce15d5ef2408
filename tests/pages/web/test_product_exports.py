"""Files of the products of a filter."""

from __future__ import annotations

import asyncio
import csv
import gc
import io
import re
import threading
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from include.errors import WarehouseUnreachable
from include.pages.web import product_exports
from include.settings import Settings
from include.storage.lake import Lake
from tests.pages.web.odd_products import NAMES, load_odd_products, product_id

CSV, PARQUET = "exports/products.csv", "exports/products.parquet"


@pytest.fixture(autouse=True)
def products(warehouse: Engine, warehouse_settings: Settings) -> None:
    load_odd_products(warehouse, Lake(warehouse_settings.lake_root))


def csv_rows(content: bytes) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return {row["product_id"]: row for row in rows}


def test_a_csv_holds_all_products_and_nothing_that_a_spreadsheet_runs(viewer: TestClient) -> None:
    answer = viewer.get(CSV)
    rows = csv_rows(answer.content)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert set(rows) == {product_id(number) for number in range(len(NAMES))}
    expected = [f"'{name}" if name and name.startswith("=") else name or "" for name in NAMES]
    assert [rows[product_id(number)]["name"] for number in range(len(NAMES))] == expected
    assert not any(value[:1] in tuple("=+-@\t\r") for row in rows.values() for value in row.values() if value)


def test_a_parquet_file_holds_the_texts_as_they_are(viewer: TestClient) -> None:
    answer = viewer.get(PARQUET)
    table = pq.read_table(io.BytesIO(answer.content)).sort_by("product_id")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert table["name"].to_pylist() == list(NAMES)


def test_an_export_holds_the_products_of_the_filter_whichever_page_is_shown(viewer: TestClient) -> None:
    query = "?decision=review&sort=surest&column=name&at=nonsense"
    assert set(csv_rows(viewer.get(CSV + query).content)) == {product_id(0), product_id(4)}
    assert pq.read_table(io.BytesIO(viewer.get(PARQUET + query).content)).num_rows == 2


def test_an_export_of_nothing_is_a_file_without_products(viewer: TestClient) -> None:
    assert csv_rows(viewer.get(f"{CSV}?label=watches").content) == {}
    assert viewer.get(f"{CSV}?label=watches").text.lstrip("\ufeff").startswith("product_id,")
    assert pq.read_table(io.BytesIO(viewer.get(f"{PARQUET}?label=watches").content)).num_rows == 0


def test_the_name_of_a_file_holds_nothing_of_the_address(viewer: TestClient) -> None:
    for address, ending in ((CSV, "csv"), (PARQUET, "parquet")):
        header = viewer.get(address, params={"text": '"; filename="evil.exe\r\nX: 1'}).headers["content-disposition"]
        assert re.fullmatch(rf'attachment; filename="cuvee-products-\d{{4}}-\d\d-\d\d-\d{{4}}\.{ending}"', header)


def test_the_last_line_of_a_csv_that_an_error_cut_says_so(viewer: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.warehouse.product_export._chunks", cut_after_one_chunk)
    lines = viewer.get(CSV).text.splitlines()
    assert lines[1] == "openfoodfacts:1,one"
    assert re.match(r'"This export is not complete: .* after 1 products"$', lines[-1])


def cut_after_one_chunk(*_: object) -> Iterator[tuple[int, bytes]]:
    yield 2, b"product_id,name\r\nopenfoodfacts:1,one\r\n"
    raise WarehouseUnreachable("the server is gone")


def test_an_export_that_cannot_begin_is_a_page_that_says_why(
    viewer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Iterator[tuple[int, bytes]]:
        yield from ()
        raise WarehouseUnreachable("the server is gone: start it")

    monkeypatch.setattr("include.warehouse.product_export._chunks", refuse)
    answer = viewer.get(CSV)
    assert answer.status_code == 503
    assert "the server is gone: start it" in answer.text
    assert "content-disposition" not in answer.headers


def test_an_export_whose_reader_leaves_ends_and_gives_its_place_back(
    application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def endless(*_: object) -> Iterator[bytes]:
        try:
            while True:
                yield b"product\r\n"
        finally:
            ended.set()

    monkeypatch.setattr(product_exports, "export_csv", endless)
    for _ in range(product_exports.AT_ONCE + 1):
        ended.clear()
        assert asyncio.run(read_a_little(application, CSV)) == 200
        gc.collect()
        assert ended.wait(10)


async def read_a_little(application: FastAPI, address: str) -> int:
    """Ask for an address, leave after the third piece of the answer, and return its status."""
    left = asyncio.Event()
    messages: list[dict[str, Any]] = []
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in asked:
            return message
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)
        if len(messages) == 4:
            left.set()
        await asyncio.sleep(0)

    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET"}
    scope |= {"path": f"/{address}", "raw_path": f"/{address}".encode(), "query_string": b"", "root_path": ""}
    await application(scope | {"headers": [(b"x-account", b"viewer")]}, receive, send)  # type: ignore[arg-type]
    return int(messages[0]["status"])


def test_one_export_too_many_is_told_to_wait_and_places_come_back(
    viewer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_read(*_: object) -> Iterator[bytes]:
        yield b"first"
        yield b"second"

    begun = [product_exports.begun(never_read()) for _ in range(product_exports.AT_ONCE)]
    assert viewer.get(CSV).status_code == 503
    assert "try again in a minute" in viewer.get(PARQUET).text
    begun.clear()
    assert viewer.get(CSV).status_code == 200
    for _ in range(2 * product_exports.AT_ONCE):
        assert viewer.get(CSV).status_code == 200
