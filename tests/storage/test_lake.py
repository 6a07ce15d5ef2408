"""A reader of the lake sees a whole file, old or new; on a local disk and on S3 alike."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import boto3
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from tests.conftest import PROJECT_ROOT

PATH = "labels/source=s/day=2026-01-05/part-00000.parquet"


class Stop(Exception):
    """Raised inside a write, to break it off."""


def start_killed_writer(lake: Lake, path: str, megabytes: int) -> subprocess.Popen[str]:
    """A process that has written half a file and holds it open."""
    command = [sys.executable, "-m", "tests.warehouse.killed_writer", lake.root, path, str(megabytes)]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "half written\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    """End a process as a power cut would."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)


def test_what_is_written_is_read_and_listed(any_lake: Lake) -> None:
    assert any_lake.list_files("labels") == []
    assert not any_lake.exists(PATH)
    any_lake.write_bytes(PATH, b"one")
    any_lake.write_bytes(PATH, b"two")
    any_lake.write_bytes("labels/source=s/day=2026-01-05/note.txt", b"")
    assert any_lake.read_bytes(PATH) == b"two"
    assert any_lake.exists(PATH)
    assert any_lake.exists("labels/source=s")
    assert any_lake.list_files("labels", ".parquet") == [PATH]
    assert len(any_lake.list_files("")) == 2


def test_a_file_of_another_process_is_seen_at_once(any_lake: Lake) -> None:
    assert any_lake.list_files("labels") == []
    Lake(any_lake.root).write_bytes(PATH, b"1234")
    assert any_lake.list_files("labels") == [PATH]
    assert any_lake.read_bytes(PATH) == b"1234"
    Lake(any_lake.root).write_bytes(PATH, b"123456789")
    assert any_lake.read_bytes(PATH) == b"123456789"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(any_lake: Lake) -> None:
    any_lake.write_bytes(PATH, b"old")
    for path in (PATH, "other"):
        with pytest.raises(Stop), any_lake.open_write(path) as stream:
            stream.write(b"new" * 6_000_000)
            raise Stop
    assert any_lake.read_bytes(PATH) == b"old"
    assert any_lake.list_files("") == [PATH]
    if any_lake.is_local:
        assert [path.name for path in Path(any_lake.root).rglob("*") if path.is_file()] == ["part-00000.parquet"]
    else:
        assert unfinished_uploads(any_lake) == []


def unfinished_uploads(lake: Lake) -> list[str]:
    """Keys of uploads to S3 that were begun and neither completed nor aborted."""
    bucket = lake.root.removeprefix("s3://").split("/")[0]
    return [upload["Key"] for upload in boto3.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


@pytest.mark.parametrize("megabytes", [1, 30], ids=["small", "in several parts"])
def test_a_killed_writer_leaves_the_old_file(any_lake: Lake, megabytes: int) -> None:
    any_lake.write_bytes(PATH, b"old")
    writer = start_killed_writer(any_lake, PATH, megabytes)
    assert any_lake.read_bytes(PATH) == b"old"
    kill(writer)
    assert any_lake.read_bytes(PATH) == b"old"
    assert any_lake.list_files("") == [PATH]
    any_lake.write_bytes(PATH, b"newer")
    assert any_lake.read_bytes(PATH) == b"newer"


def test_leftovers_of_killed_writers_go_with_the_next_write_and_those_of_living_ones_stay(lake: Lake) -> None:
    folder = Path(lake.full_path("x"))
    dead, living = start_killed_writer(lake, "x/file", 1), start_killed_writer(lake, "x/file", 1)
    other = start_killed_writer(lake, "x/file.json", 1)
    try:
        kill(dead)
        kill(other)
        assert len(list(folder.glob(".*.tmp"))) == 3
        lake.write_bytes("x/file", b"done")
        assert len(list(folder.glob(".file.*.tmp"))) == 2
        assert len(list(folder.glob(".file.json.*.tmp"))) == 1
        kill(living)
        lake.write_bytes("x/file", b"done")
        lake.write_bytes("x/file.json", b"done")
        assert sorted(path.name for path in folder.iterdir()) == ["file", "file.json"]
    finally:
        for process in (dead, living, other):
            kill(process)


def test_readers_beside_writers_see_one_whole_version(any_lake: Lake) -> None:
    size = 200_000
    any_lake.write_bytes(PATH, b"0" * size)
    seen: list[bytes] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(any_lake.read_bytes(PATH))

    def write(digit: bytes) -> None:
        for _ in range(8):
            any_lake.write_bytes(PATH, digit * size)

    reader = threading.Thread(target=read)
    # The S3 server of the tests, unlike S3, mixes up writers of one file.
    digits = (b"1", b"2", b"3") if any_lake.is_local else (b"1",)
    writers = [threading.Thread(target=write, args=(digit,)) for digit in digits]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert len(seen) > 1
    for content in seen:
        assert len(content) == size
        assert len(set(content)) == 1


def test_a_reader_that_has_begun_goes_on_with_the_file_it_opened(lake: Lake) -> None:
    lake.write_bytes(PATH, b"old content")
    with lake.open_read(PATH) as stream:
        assert stream.read(3) == b"old"
        lake.write_bytes(PATH, b"new content")
        assert stream.read() == b" content"
        stream.seek(0)
        assert stream.read(3) == b"old"


def test_a_reader_on_s3_whose_file_was_replaced_fails_rather_than_mixing_two_versions(s3_lake: Lake) -> None:
    size = 20_000_000
    s3_lake.write_bytes(PATH, b"0" * size)
    with s3_lake.open_read(PATH) as stream:
        assert stream.read(1) == b"0"
        s3_lake.write_bytes(PATH, b"1" * size)
        stream.seek(size - 1)
        with pytest.raises(OSError, match="no longer exists"):
            stream.read(1)


def test_a_file_moves_over_another_one(any_lake: Lake) -> None:
    any_lake.write_bytes("staging/a", b"new")
    any_lake.write_bytes(PATH, b"old")
    any_lake.replace("staging/a", PATH)
    assert any_lake.list_files("") == [PATH]
    assert any_lake.read_bytes(PATH) == b"new"
    with pytest.raises(FileNotFoundError):
        any_lake.replace("staging/a", PATH)
    assert any_lake.read_bytes(PATH) == b"new"


def test_deleting_takes_a_folder_whole_and_does_not_mind_absence(any_lake: Lake) -> None:
    any_lake.write_bytes(PATH, b"x")
    any_lake.write_bytes("labels/source=s/day=2026-01-06/part-00000.parquet", b"x")
    for _ in range(2):
        any_lake.delete("labels/source=s/day=2026-01-05")
        assert any_lake.list_files("") == ["labels/source=s/day=2026-01-06/part-00000.parquet"]


def test_a_parquet_file_is_compressed_and_encoded_well_and_appears_only_when_complete(any_lake: Lake) -> None:
    table = pa.table({"label": ["champagne"] * 5_000, "number": list(range(5_000))})
    with any_lake.parquet_writer(PATH, table.schema) as writer:
        writer.write_table(table, row_group_size=2_000)
        assert not any_lake.exists(PATH)
    assert any_lake.read_parquet(PATH) == table
    assert any_lake.read_parquet(PATH, ["label"]).column_names == ["label"]
    with any_lake.parquet_file(PATH) as file:
        metadata = file.metadata
        assert [metadata.row_group(group).num_rows for group in range(3)] == [2_000, 2_000, 1_000]
        column = metadata.row_group(0).column(0)
        assert column.compression == "ZSTD"
        assert "RLE_DICTIONARY" in column.encodings


def test_a_parquet_write_that_fails_leaves_the_old_file(any_lake: Lake) -> None:
    table = pa.table({"number": [1]})
    any_lake.write_parquet(PATH, table)
    with pytest.raises(pa.ArrowInvalid), any_lake.parquet_writer(PATH, table.schema) as writer:
        writer.write_table(table)
        pa.table({"number": [1]}).validate()
        raise pa.ArrowInvalid("the next chunk is broken")
    assert any_lake.read_parquet(PATH) == table


def test_the_same_rows_give_the_same_bytes(any_lake: Lake) -> None:
    table = pa.table({"name": ["a", None, "é"]})
    any_lake.write_parquet(PATH, table)
    first = any_lake.read_bytes(PATH)
    any_lake.write_parquet(PATH, table)
    assert any_lake.read_bytes(PATH) == first


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\x00"), min_size=1, max_size=40).filter(
        lambda name: not name.startswith((".", "_"))
    ),
    content=st.binary(max_size=100),
)
def test_any_file_name_that_is_no_dot_file_works_on_a_local_disk(lake: Lake, name: str, content: bytes) -> None:
    lake.write_bytes(f"x/{name}", content)
    assert lake.read_bytes(f"x/{name}") == content
    assert lake.list_files("x") == [f"x/{name}"]
    lake.delete("x")


def test_paths_say_source_and_day_as_partition_columns() -> None:
    assert Batch("s", date(2026, 1, 5)).file(Layer.LABELS, 7) == "labels/source=s/day=2026-01-05/part-00007.parquet"


def test_the_address_of_a_file_can_be_given_to_other_programs(lake: Lake, s3_lake: Lake) -> None:
    lake.write_bytes("a/b", b"x")
    assert Path(lake.url("a/b")).read_bytes() == b"x"
    assert s3_lake.url("a/b").startswith("s3://cuvee-")
    assert (lake.is_local, s3_lake.is_local) == (True, False)


def test_a_relative_root_is_kept_when_the_working_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lake = Lake("wine/")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    lake.write_bytes("a", b"x")
    assert (tmp_path / "wine" / "a").read_bytes() == b"x"
    assert lake.url("a") == str(tmp_path / "wine" / "a")


def test_sizes_of_all_files_below_a_folder_are_told(any_lake: Lake) -> None:
    any_lake.write_bytes("landing/day=1/a", b"12345")
    any_lake.write_bytes("landing/day=1/again/b", b"12")
    any_lake.write_bytes("landing/day=2/c", b"1")
    assert any_lake.file_sizes("landing/day=1") == {"landing/day=1/a": 5, "landing/day=1/again/b": 2}
    assert any_lake.file_sizes("landing/day=3") == {}


def test_a_folder_may_be_deleted_by_several_at_once(lake: Lake) -> None:
    for _ in range(5):
        for number in range(20):
            lake.write_bytes(f"staging/{number}", b"x")
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(lake.delete, "staging") for _ in range(4)]:
                done.result()
        assert not lake.exists("staging")


def test_folders_are_listed_by_name_without_what_they_hold(any_lake: Lake) -> None:
    assert any_lake.list_folders("reports/validation") == []
    for path in (
        "reports/validation/source=b/day=1/x.json",
        "reports/validation/source=a/y.json",
        "reports/validation/z",
    ):
        any_lake.write_bytes(path, b"1")
    assert any_lake.list_folders("reports/validation") == ["source=a", "source=b"]
    assert any_lake.list_folders("reports/validation/z") == []
    assert any_lake.list_folders("reports/validation/source=a") == []


def test_many_small_files_are_read_at_once_and_absent_ones_left_out(any_lake: Lake) -> None:
    for name in ("a", "b"):
        any_lake.write_bytes(f"reports/{name}.json", name.encode())
    assert any_lake.read_files(["reports/b.json", "reports/none.json", "reports/a.json"]) == {
        "reports/b.json": b"b",
        "reports/a.json": b"a",
    }
    assert any_lake.read_files(["reports/none.json"]) == {}
    assert any_lake.read_files([]) == {}
