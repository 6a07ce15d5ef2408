"""The records that were set aside: from the warehouse or, of a refused batch, from the lake; on pages and as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from include.pages import quarantine
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from tests.pages.web.reading import read_page
from tests.pages.web.validated_days import HOSTILE, leave_day, rejected

BATCH = Batch("openfoodfacts", date(2026, 1, 5))
PAGE = "validation/openfoodfacts/2026-01-05"


@pytest.fixture
def stored(warehouse_settings: Settings) -> Lake:
    """The lake that the pages read."""
    return Lake(warehouse_settings.lake_root)


@pytest.fixture(params=["published", "refused"])
def rejections(request: pytest.FixtureRequest, stored: Lake, warehouse: Engine) -> int:
    """A day with 120 records set aside, once published and once refused; every tenth is of another reason."""
    rows = [rejected(number, "no_name" if number % 10 else "not_json") for number in range(120)]
    leave_day(stored, warehouse, BATCH, rows, broken=["volume"] if request.param == "refused" else ())
    if request.param == "published":
        stored.delete(BATCH.file(Layer.QUARANTINE))  # the warehouse has them
    return len(rows)


def shown(client: TestClient, address: str) -> tuple[list[str], str]:
    """Ids on a page, and the address of the next one."""
    page = read_page(client, address)
    ids = [word for word in page.text.split() if word.startswith("3000") and len(word) == 7]
    following = [link for link in page.references if "after=" in link]
    return ids, following[-1].removeprefix("../../") if following else ""


def test_the_pages_of_a_batch_hold_each_record_once(viewer: TestClient, rejections: int) -> None:
    seen: list[str] = []
    address, pages = PAGE, 0
    while address:
        ids, address = shown(viewer, address)
        seen += ids
        pages += 1
    assert pages == 3
    assert sorted(seen) == [str(3_000_000 + number) for number in range(rejections)]


def test_a_reason_in_the_address_chooses_the_records(viewer: TestClient, rejections: int) -> None:
    ids, following = shown(viewer, f"{PAGE}?reason=not_json")
    assert sorted(ids) == [str(3_000_000 + number) for number in range(0, 120, 10)]
    assert following == ""


@pytest.mark.parametrize("choice", [{"reason": HOSTILE}, {"after": HOSTILE}, {"after": "-1"}, {"after": "9" * 30}])
def test_an_odd_choice_in_the_address_shows_the_first_page(
    viewer: TestClient, rejections: int, choice: dict[str, str]
) -> None:
    answer = viewer.get(PAGE, params=choice)
    assert answer.status_code == 200
    assert "Next page" in answer.text
    assert ("all of them are shown" in answer.text) == ("reason" in choice)
    assert "<script>alert" not in answer.text


def test_a_record_shows_its_reason_its_field_and_itself(viewer: TestClient, stored: Lake, warehouse: Engine) -> None:
    leave_day(stored, warehouse, BATCH, [rejected(1, "text_too_long"), rejected(2, raw={"x": "y" * 9_000})])
    page = read_page(viewer, PAGE)
    assert "text too long brand brand has 5,000 characters" in page.text
    assert '{"brands": "Maison", "code": "3000001"}' in page.text
    assert "The first 4,000 of 9,009 characters; a download has all of them." in page.text
    assert page.tags.count("details") == 2


def test_the_downloads_hold_every_record_whole(viewer: TestClient, rejections: int) -> None:
    answer = viewer.get(f"{PAGE}/quarantine.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="quarantine-openfoodfacts-2026-01-05.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert sorted(row["native_id"] for row in rows) == [str(3_000_000 + number) for number in range(rejections)]
    assert list(rows[0]) == list(quarantine.COLUMNS)
    lines = [json.loads(line) for line in viewer.get(f"{PAGE}/quarantine.jsonl").text.splitlines()]
    assert [line["native_id"] for line in lines] == [row["native_id"] for row in rows]
    assert lines[0]["raw"] == json.loads(rows[0]["raw"])
    chosen = viewer.get(f"{PAGE}/quarantine.jsonl?reason=not_json").text.splitlines()
    assert len(chosen) == 12
    assert viewer.get(f"{PAGE}/quarantine.jsonl", params={"reason": "\0"}).status_code == 200


def test_no_cell_of_a_download_is_a_formula(viewer: TestClient, stored: Lake, warehouse: Engine) -> None:
    texts = ["=cmd|' /C calc'!A0", "+1", "-1", "@sum(a)", "\t=1", " =1", "\uff1d1", 'x",=1']
    rows = [
        rejected(number, native_id=text, detail=text, position=f"{text}{number}", raw={text: text})
        for number, text in enumerate(texts)
    ]
    leave_day(stored, warehouse, BATCH, rows)
    table = list(csv.reader(io.StringIO(viewer.get(f"{PAGE}/quarantine.csv").text, newline="")))
    assert len(table) == 1 + len(texts)
    cells = [cell for row in table[1:] for cell in row]
    assert not [cell for cell in cells if cell.strip(" ")[:1] in ("=", "+", "-", "@", "\t", "\uff1d")]
    assert "'=cmd|' /C calc'!A0" in cells and 'x",=1' in cells


def test_a_download_that_breaks_says_so_in_its_last_line(
    viewer: TestClient, rejections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        yield rejected(1).to_row()
        raise OSError("the server is gone")

    monkeypatch.setattr(quarantine, "stream_quarantine", break_off)
    monkeypatch.setattr(quarantine, "stream_quarantine_file", break_off)
    for ending in ("csv", "jsonl"):
        lines = viewer.get(f"{PAGE}/quarantine.{ending}").text.splitlines()
        assert "3000001" in lines[-2]
        assert "this file is not complete" in lines[-1]
