from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.errors import SourceError
from include.sources import landing as landing_module
from include.sources.landing import Landing, unreadable_line
from include.storage.batch import Batch
from include.storage.lake import Lake

DAY = date(2026, 3, 14)
RECORDS: list[dict[str, Any]] = [{"code": "0001", "name": "Cuvée"}, {"code": "0002"}]


@pytest.fixture
def landing(lake: Lake) -> Landing:
    return Landing(lake, Batch("openfoodfacts", DAY))


def content(landing: Landing) -> dict[str, bytes]:
    return {path: landing.lake.read_bytes(path) for path in landing.lake.list_files(landing.folder)}


def land_bytes(landing: Landing, name: str, body: bytes) -> None:
    with landing.open_write(name) as stream:
        stream.write(body)


def test_files_lie_in_the_days_folder(landing: Landing) -> None:
    landing.write_json_lines("a.json.gz", RECORDS)
    assert list(content(landing)) == ["landing/source=openfoodfacts/day=2026-03-14/a.json.gz"]


def test_what_is_written_is_read_with_line_numbers(landing: Landing) -> None:
    landing.write_json_lines("a.json.gz", RECORDS)
    assert list(landing.read_json_lines("a.json.gz")) == [(1, RECORDS[0]), (2, RECORDS[1])]


def test_writing_twice_leaves_the_same_bytes(landing: Landing) -> None:
    for _ in range(2):
        landing.write_json_lines("a.json.gz", RECORDS)
        landing.complete({"pages": 1})
    first = content(landing)
    landing.write_json_lines("a.json.gz", RECORDS)
    landing.complete({"pages": 1})
    assert content(landing) == first


def test_a_writer_that_fails_leaves_what_was_there(landing: Landing) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield {"code": "0009"}
        raise RuntimeError("out of power")

    landing.write_json_lines("a.json.gz", RECORDS)
    before = content(landing)
    with pytest.raises(RuntimeError):
        landing.write_json_lines("a.json.gz", broken())
    assert content(landing) == before


def test_a_day_is_complete_once_the_manifest_and_all_it_lists_are_there(landing: Landing) -> None:
    landing.write_json_lines("a.json.gz", RECORDS)
    assert not landing.is_complete()
    landing.complete({"pages": 1})
    assert landing.is_complete()
    assert landing.manifest() == {
        "source": "openfoodfacts",
        "day": "2026-03-14",
        "files": ["a.json.gz"],
        "pages": 1,
    }
    landing.lake.delete(landing.path("a.json.gz"))
    assert not landing.is_complete()


def landed(lake: Lake, *names: str) -> Landing:
    """A complete day of files that hold their own names."""
    day = Landing(lake, Batch("openfoodfacts", DAY))
    land(day, *names)
    return day


def land(landing: Landing, *names: str, text: str = "") -> None:
    for name in names:
        landing.write_json_lines(name, [{"of": text or name}])
    landing.complete({"files": list(names)})


def day_of(lake: Lake) -> dict[str, Any]:
    """What a reader finds: file name → its records."""
    day = Landing(lake, Batch("openfoodfacts", DAY))
    return {name: [record for _, record in day.read_json_lines(name)] for name in day.manifest()["files"]}


def test_a_day_is_what_it_was_until_what_is_landed_beside_it_replaces_it(any_lake: Lake) -> None:
    day = landed(any_lake, "a.json.gz", "b.json.gz")
    before = day_of(any_lake)
    again = day.beside()
    assert not again.is_complete()
    assert not again.has("a.json.gz")
    land(again, "a.json.gz", "c.json.gz", text="new")
    assert day_of(any_lake) == before
    day.replace_by(again)
    new = {"a.json.gz": [{"of": "new"}], "c.json.gz": [{"of": "new"}]}
    assert day_of(any_lake) == new
    assert (day.is_complete(), day.file_names()) == (True, ["a.json.gz", "c.json.gz"])
    day.remove_replaced()
    assert day_of(any_lake) == new
    assert len(any_lake.list_files(day.folder)) == 4, "two files, their manifest, and the day's"


def test_a_day_can_be_replaced_again_and_again_and_keeps_nothing_of_the_earlier_ones(
    lake: Lake,
) -> None:
    day = landed(lake, "a.json.gz")
    for number in range(3):
        again = day.beside()
        land(again, "b.json.gz", text=str(number))
        day.replace_by(again)
        day.remove_replaced()
        assert day_of(lake) == {"b.json.gz": [{"of": str(number)}]}
        assert len(lake.list_files(day.folder)) == 3


def test_a_manifest_names_no_file_that_is_not_there(landing: Landing) -> None:
    landing.write_json_lines("a.json.gz", RECORDS)
    with pytest.raises(SourceError, match=r"lacks b\.json\.gz"):
        landing.complete({"files": ["a.json.gz", "b.json.gz"]})
    assert not landing.is_complete()


def test_what_was_landed_beside_and_lost_a_file_replaces_nothing(lake: Lake) -> None:
    day = landed(lake, "a.json.gz")
    again = day.beside()
    land(again, "b.json.gz")
    lake.delete(again.path("b.json.gz"))
    with pytest.raises(SourceError, match="fetch the day again"):
        day.replace_by(again)
    assert day_of(lake) == {"a.json.gz": [{"of": "a.json.gz"}]}


def test_of_two_that_land_beside_each_other_the_last_one_counts_and_both_are_whole(lake: Lake) -> None:
    day = landed(lake, "a.json.gz")
    first, second = day.beside(), day.beside()
    first.write_json_lines("b.json.gz", RECORDS)
    land(second, "c.json.gz")
    day.replace_by(second)
    day.remove_replaced()
    assert day_of(lake) == {"c.json.gz": [{"of": "c.json.gz"}]}

    first.complete({"files": ["b.json.gz"]})
    other = Landing(lake, Batch("openfoodfacts", DAY))
    other.replace_by(first)
    other.remove_replaced()
    assert list(day_of(lake)) == ["b.json.gz"]
    assert len(lake.list_files(day.folder)) == 3


def test_what_killed_processes_left_is_removed_when_it_is_a_day_old(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = landed(lake, "a.json.gz")
    left = day.beside()
    left.write_json_lines("b.json.gz", RECORDS)
    again = day.beside()
    land(again, "c.json.gz")
    day.replace_by(again)
    day.remove_replaced()
    assert left.has("b.json.gz"), "it may be in the making"
    monkeypatch.setattr(landing_module, "MADE_WITHIN", timedelta(0))
    Landing(lake, Batch("openfoodfacts", DAY)).remove_replaced()
    assert not left.has("b.json.gz")
    assert list(day_of(lake)) == ["c.json.gz"]


def test_a_day_that_lost_a_file_after_it_was_replaced_is_landed_again_in_its_place(lake: Lake) -> None:
    day = landed(lake, "a.json.gz")
    again = day.beside()
    land(again, "b.json.gz", "c.json.gz")
    day.replace_by(again)
    lake.delete(day.path("c.json.gz"))

    mended = Landing(lake, Batch("openfoodfacts", DAY))
    assert not mended.is_complete()
    assert mended.has("b.json.gz")
    land(mended, "c.json.gz")
    mended.complete({"files": ["b.json.gz", "c.json.gz"]})
    assert mended.is_complete()
    assert list(day_of(lake)) == ["b.json.gz", "c.json.gz"]


def test_a_file_that_goes_while_it_is_read_says_what_to_do(lake: Lake) -> None:
    day = landed(lake, "a.json.gz", "b.json.gz")
    lake.delete(day.path("b.json.gz"))
    with pytest.raises(SourceError, match="run this step again"):
        day_of(lake)


@pytest.mark.parametrize("folder", ["..", "../day=2026-03-13", "again-x", 3])
def test_a_manifest_leads_to_no_other_folder(lake: Lake, folder: object) -> None:
    day = landed(lake, "a.json.gz")
    lake.write_bytes(day.path("manifest.json"), json.dumps({"files": ["a.json.gz"], "folder": folder}).encode())
    with pytest.raises(SourceError, match="fetch the day again"):
        Landing(lake, Batch("openfoodfacts", DAY)).manifest()


def test_a_day_that_was_not_landed_says_what_to_do(landing: Landing) -> None:
    with pytest.raises(SourceError, match="fetch the day first"):
        landing.manifest()


@pytest.mark.parametrize("broken", [b"", b"[1]", b'{"files": 3}', b'{"fi'])
def test_a_damaged_manifest_says_what_to_do(landing: Landing, broken: bytes) -> None:
    land_bytes(landing, "manifest.json", broken)
    with pytest.raises(SourceError, match="fetch the day again"):
        landing.manifest()


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/b", "", ".hidden", "..", "a\n", "a" * 300])
def test_no_name_leaves_the_folder(landing: Landing, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a landed file"):
        landing.path(name)


def test_lines_that_are_not_objects_come_as_text_and_blank_ones_not_at_all(landing: Landing) -> None:
    lines = [b'{"a": 1}', b"", b"   ", b"<html>", b'["x"]', b'{"a": NaN}', b'{"a": "\xff"}', b'{"b": 2}\r']
    land_bytes(landing, "a.json.gz", gzip.compress(b"\n".join(lines)))
    assert list(landing.read_json_lines("a.json.gz")) == [
        (1, {"a": 1}),
        (4, "<html>"),
        (5, '["x"]'),
        (6, '{"a": NaN}'),
        (7, '{"a": "�"}'),
        (8, {"b": 2}),
    ]


def test_an_over_long_line_is_passed_over_without_losing_count(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing_module, "MAX_LINE_BYTES", 100)
    long_line = b'{"a": "' + b"x" * 1000 + b'"}'
    land_bytes(landing, "a.json.gz", gzip.compress(b'{"b": 1}\n' + long_line + b'\n{"b": 2}\n'))
    (_, first), (number, shown), (last, second) = landing.read_json_lines("a.json.gz")
    assert (first, second, number, last) == ({"b": 1}, {"b": 2}, 2, 3)
    assert isinstance(shown, str)
    assert shown.startswith('{"a": "xxx')
    assert len(shown) <= 101


@pytest.mark.parametrize("damage", [b"plain text", gzip.compress(b'{"a": 1}\n' * 500, mtime=0)[:-12]])
def test_a_damaged_file_says_what_to_do(landing: Landing, damage: bytes) -> None:
    land_bytes(landing, "a.json.gz", damage)
    with pytest.raises(SourceError, match=r"a\.json\.gz is damaged.*fetch the day again"):
        list(landing.read_json_lines("a.json.gz"))


@pytest.mark.parametrize(("line", "code"), [("<html>", "not_json"), ('{"a":', "not_json"), ("[1, 2]", "wrong_type")])
def test_an_unreadable_line_says_why(line: str, code: str) -> None:
    rejection = unreadable_line(line, "openfoodfacts", "a.json.gz:3")
    assert (rejection.reasons, rejection.raw, rejection.position) == ((code,), {"line": line}, "a.json.gz:3")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_lines_are_read_without_an_exception(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    landing = Landing(Lake(str(tmp_path_factory.mktemp("lake"))), Batch("openfoodfacts", DAY))
    land_bytes(landing, "a.json.gz", gzip.compress(b"\n".join(lines)))
    for _, record in landing.read_json_lines("a.json.gz"):
        if isinstance(record, str):
            assert unreadable_line(record, "openfoodfacts", "a:1").reasons
        json.dumps(record, ensure_ascii=False).encode()
