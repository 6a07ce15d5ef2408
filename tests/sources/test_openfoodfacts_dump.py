"""Days that are landed from the full dump."""

from __future__ import annotations

import gzip
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from include.errors import ConfigurationError, SourceError
from include.schema import Product
from include.sources.landing import Landing
from include.sources.openfoodfacts import OpenFoodFacts
from include.sources.openfoodfacts_delta import day_bounds
from include.sources.openfoodfacts_dump import MAX_DAYS, land_days_of_dump
from include.storage.batch import Batch
from include.storage.lake import Lake

FIRST = date(2025, 3, 14)
LAST = FIRST + timedelta(days=1)
START, END = day_bounds(FIRST)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def dump(path: Path, *, zipped: bool = True) -> Path:
    rows = [
        {"code": str(number), "product_name": "Champagne brut", "last_modified_t": moment}
        for number, moment in enumerate([START - 1, START, END - 1, END, END + 86_399, END + 86_400, 10**30, "x", None])
    ]
    lines = b"\n".join([json.dumps(row).encode() for row in rows] + [b"{broken", b"[]", b""])
    path.write_bytes(gzip.compress(lines) if zipped else lines)
    return path


def codes(lake: Lake, day: date) -> list[str]:
    records = OpenFoodFacts().read(day, Landing(lake, Batch("openfoodfacts", day)))
    return [record.native_id for record in records if isinstance(record, Product)]


@pytest.mark.parametrize("zipped", [True, False])
def test_each_product_lands_on_the_day_of_its_last_change(zipped: bool, lake: Lake, tmp_path: Path) -> None:
    path = dump(tmp_path / "dump.jsonl", zipped=zipped)
    assert land_days_of_dump(path, FIRST, LAST, lake) == {FIRST: 2, LAST: 2}
    assert codes(lake, FIRST) == ["1", "2"]
    assert codes(lake, LAST) == ["3", "4"]


def test_a_time_that_overflows_or_a_line_without_end_belongs_to_no_day(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.sources.landing.MAX_LINE_BYTES", 5_000)
    row = b'{"code": "1", "product_name": "Champagne", "last_modified_t": %s}\n'
    times = [b"1e999", b"-1e999", b"NaN", b"9" * 900, b'"1e400"', b"[" * 2_000 + b"]" * 2_000, b"%d.0" % START]
    path = tmp_path / "dump.jsonl"
    path.write_bytes(
        b"".join(row % time for time in times) + row % (b'"' + b"x" * 20_000 + b'"') + row % (b"%d" % START)
    )
    assert land_days_of_dump(path, FIRST, FIRST, lake) == {FIRST: 2}


def test_landing_again_leaves_the_same_files_and_complete_days_alone(lake: Lake, tmp_path: Path) -> None:
    path = dump(tmp_path / "dump.jsonl.gz")
    land_days_of_dump(path, FIRST, FIRST, lake)
    before = {file: lake.read_bytes(file) for file in lake.list_files("landing")}
    assert land_days_of_dump(path, FIRST, LAST, lake) == {LAST: 2}
    after = {file: lake.read_bytes(file) for file in lake.list_files("landing")}
    assert after.items() >= before.items()
    assert land_days_of_dump(path, FIRST, LAST, lake) == {}
    assert {file: lake.read_bytes(file) for file in lake.list_files("landing")} == after


def test_a_dump_that_is_cut_off_lands_nothing(lake: Lake, tmp_path: Path) -> None:
    path = dump(tmp_path / "dump.jsonl.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(SourceError, match="download it again"):
        land_days_of_dump(path, FIRST, LAST, lake)
    assert lake.list_files("landing") == []


def test_days_out_of_order_or_too_many_are_refused(lake: Lake, tmp_path: Path) -> None:
    path = dump(tmp_path / "dump.jsonl.gz")
    for last in (FIRST - timedelta(days=1), FIRST + timedelta(days=MAX_DAYS)):
        with pytest.raises(ConfigurationError, match="the first one first"):
            land_days_of_dump(path, FIRST, last, lake)
