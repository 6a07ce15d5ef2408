from __future__ import annotations

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.storage import row_lookup
from include.storage.lake import Lake
from include.storage.row_lookup import find_row, write_sorted

SCHEMA = pa.schema([pa.field("key", pa.string()), pa.field("number", pa.int64()), pa.field("text", pa.string())])
PATH = "layer/part-00000.parquet"


def table(numbers: list[int]) -> pa.Table:
    return pa.table({"key": [f"id:{n:05d}" for n in numbers], "number": numbers, "text": ["x"] * len(numbers)}, SCHEMA)


def write(lake: Lake, tables: list[pa.Table]) -> None:
    with lake.parquet_writer(PATH, SCHEMA) as writer:
        write_sorted(writer, tables, "key")


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A thousand numbers in any order; files of them have several runs of several row groups."""
    monkeypatch.setattr(row_lookup, "RUN_ROWS", 300)
    monkeypatch.setattr(row_lookup, "ROW_GROUP_ROWS", 40)
    drawn = list(range(1_000))
    random.Random(0).shuffle(drawn)
    return drawn


def test_each_row_is_found_again(any_lake: Lake, numbers: list[int]) -> None:
    write(any_lake, [table(numbers[start : start + 70]) for start in range(0, 1_000, 70)])
    for wanted in (0, 1, 499, 999, *numbers[:5], *numbers[-5:]):
        row = {"key": f"id:{wanted:05d}", "number": wanted, "text": "x"}
        assert find_row(any_lake, PATH, "key", row["key"]) == row
    assert find_row(any_lake, PATH, "key", "id:00007", ["number"]) == {"number": 7}


def test_a_key_that_is_nowhere_is_not_found(any_lake: Lake, numbers: list[int]) -> None:
    assert find_row(any_lake, PATH, "key", "id:00001") is None
    write(any_lake, [table(numbers)])
    for absent in ("", "id:00001x", "id:99999", "\ud800", "zz", "\x00"):
        assert find_row(any_lake, PATH, "key", absent) is None


def test_a_file_of_no_rows_has_none(lake: Lake) -> None:
    write(lake, [])
    assert find_row(lake, PATH, "key", "id:00001") is None
    write(lake, [table([])])
    assert find_row(lake, PATH, "key", "id:00001") is None


def test_only_row_groups_that_can_have_the_key_are_read(
    lake: Lake, numbers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 28 row groups in four runs the keys of one each at most, and the other columns of one."""
    write(lake, [table(numbers[start : start + 50]) for start in range(0, 1_000, 50)])
    read: list[object] = []
    original = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, group: int, columns: list[str] | None = None, **options: object) -> pa.Table:
        read.append(columns)
        return original(self, group, columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    with lake.parquet_file(PATH) as file:
        assert file.num_row_groups > 25
    for wanted in range(0, 1_000, 97):
        read.clear()
        assert find_row(lake, PATH, "key", f"id:{wanted:05d}") is not None
        assert read.count(None) == 1
        assert len(read) <= 5


def test_an_unsorted_file_without_statistics_is_searched_as_well(lake: Lake, numbers: list[int]) -> None:
    with lake.open_write(PATH) as stream:
        pq.write_table(table(numbers), stream, row_group_size=100, write_statistics=False)
    assert find_row(lake, PATH, "key", "id:00321") == {"key": "id:00321", "number": 321, "text": "x"}
    assert find_row(lake, PATH, "key", "\ud800") is None
