"""Fetching a day, and asking for it again: what was landed stays the day's until the new answer is whole."""

from __future__ import annotations

import logging
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.errors import BatchRejected, SourceError
from include.pipeline.daily.fetch import fetch_day
from include.sources.edamam import PARSER_PATH
from include.sources.landing import Landing
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from tests.fixtures.killing import KILLED, run_killed
from tests.fixtures.landed_day import (
    DAY,
    END,
    NOON,
    NOWHERE,
    START,
    LandedDay,
    delta_name,
    quick,
    refetch,
    refetch_on_a_full_disk,
    serve_a_large_file,
)
from tests.sources.api_server import Answer, ApiServer, gzip_lines, html


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake alone: nothing here needs a model."""
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def source(api: ApiServer, any_lake: Lake, tmp_path: Path) -> LandedDay:
    return LandedDay(api, quick(tmp_path / "state", any_lake.root))


@pytest.fixture
def local(api: ApiServer, lake: Lake, tmp_path: Path) -> LandedDay:
    return LandedDay(api, quick(tmp_path / "state", lake.root))


@pytest.fixture
def edamam(api: ApiServer, lake: Lake, tmp_path: Path) -> LandedDay:
    return LandedDay(api, quick(tmp_path / "state", lake.root), "edamam")


def test_a_whole_new_answer_replaces_the_landed_day_and_leaves_no_file_of_it(source: LandedDay) -> None:
    source.serve("1", "2", windows=2)
    source.fetch()
    source.serve("2", "3")
    source.fetch()
    assert source.ids() == ["1", "2"], "what is landed is not asked for again"
    source.fetch(refetch=True)
    assert source.ids() == ["2", "3"]
    source.serve("4")
    source.fetch(refetch=True)
    assert source.ids() == ["4"]
    assert len(source.files()) == 3, "one file, its manifest, and the day's"
    assert not Landing(source.lake, Batch(source.name, DAY)).has(delta_name(START, NOON))


def test_files_and_bytes_are_counted_and_told(source: LandedDay, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    source.serve("1", "2", windows=2)
    for again in (False, False, True):
        summary = fetch_day(Batch(source.name, DAY), source.settings, source.connection, refetch=again)
        landing = Landing(source.lake, Batch(source.name, DAY))
        size = sum(len(source.lake.read_bytes(landing.path(name))) for name in landing.file_names())
        assert (summary["files"], summary["bytes"]) == (2, size)
    told = [line for line in caplog.text.splitlines() if "so far: " in line]
    assert [line.rsplit("files=")[-1] for line in told[:2]] == [f"1 bytes={size // 2}", f"2 bytes={size}"]


def test_without_network_what_was_landed_is_kept_and_the_message_says_so(source: LandedDay) -> None:
    source.serve("1", "2")
    source.fetch()
    before = source.files()
    with pytest.raises(SourceError, match="nothing was replaced: the landed day is as it was before"):
        fetch_day(Batch(source.name, DAY), source.settings, NOWHERE, refetch=True)
    assert source.ids() == ["1", "2"]
    assert source.files() == before


def test_an_answer_that_breaks_off_replaces_nothing_and_the_next_refetch_begins_again(edamam: LandedDay) -> None:
    edamam.serve_foods("food_1", "food_2", "food_3")
    edamam.fetch()
    answer = edamam.api._functions[PARSER_PATH]
    edamam.api.on_call(PARSER_PATH, lambda request: html(503) if "session" in request.query else answer(request))
    before = edamam.files()
    with pytest.raises(SourceError, match="nothing was replaced"):
        edamam.fetch(refetch=True)
    assert edamam.ids() == ["food_1", "food_2", "food_3"]
    assert edamam.files() == before

    edamam.serve_foods("food_4", "food_5")
    edamam.fetch(refetch=True)
    assert edamam.ids() == ["food_4", "food_5"]


def test_a_first_fetch_that_breaks_off_says_what_is_landed_and_resumes(local: LandedDay) -> None:
    local.serve("1", "2", windows=2)
    local.api.on(f"/data/delta/{delta_name(NOON, END)}", html(503))
    with pytest.raises(SourceError, match="1 file is landed, the next try resumes"):
        local.fetch()
    local.api.requests.clear()
    local.serve("1", "2", windows=2)
    local.fetch()
    assert local.api.asked(f"/data/delta/{delta_name(START, NOON)}") == 0
    assert local.ids() == ["1", "2"]


def test_a_first_fetch_without_an_answer_does_not_claim_that_something_is_kept(local: LandedDay) -> None:
    with pytest.raises(SourceError) as failure:
        fetch_day(Batch("openfoodfacts", DAY), local.settings, NOWHERE)
    assert "kept" not in str(failure.value)
    assert "landed" not in str(failure.value)


@pytest.mark.parametrize("served", [[], ["Mineral water"]])
def test_an_answer_without_records_replaces_records_only_with_a_persons_word(
    source: LandedDay, served: list[str]
) -> None:
    source.serve("1", "2")
    source.fetch()
    before = source.files()
    rows = [{"code": "9", "product_name": name, "last_modified_t": START + 60} for name in served]
    source.api.on(f"/data/delta/{delta_name()}", Answer(gzip_lines(rows)))
    with pytest.raises(BatchRejected, match=r"--refetch --allow-empty.*nothing was replaced"):
        source.fetch(refetch=True)
    assert source.ids() == ["1", "2"]
    assert source.files() == before

    source.fetch(refetch=True, allow_empty=True)
    assert source.ids() == []


def test_foods_that_are_gone_replace_foods_only_with_a_persons_word(edamam: LandedDay) -> None:
    edamam.serve_foods("food_1", "food_2")
    edamam.fetch()
    edamam.serve_foods()
    with pytest.raises(BatchRejected, match="run-day 2026-03-14 --source edamam --refetch --allow-empty"):
        edamam.fetch(refetch=True)
    assert edamam.ids() == ["food_1", "food_2"]
    edamam.fetch(refetch=True, allow_empty=True)
    assert edamam.ids() == []


def test_a_day_without_records_may_be_asked_for_again_and_again(local: LandedDay) -> None:
    local.serve()
    for again in (False, True, True):
        local.fetch(refetch=again)
        assert local.ids() == []
    local.serve("1")
    local.fetch(refetch=True)
    assert local.ids() == ["1"]


@pytest.mark.parametrize("damage", ["manifest.json", delta_name()])
def test_a_damaged_day_is_mended_by_asking_again(local: LandedDay, damage: str) -> None:
    local.serve("1")
    local.fetch()
    local.lake.write_bytes(f"{Batch(local.name, DAY).folder(Layer.LANDING)}/{damage}", b"{")
    local.serve("2")
    local.fetch(refetch=True)
    assert local.ids() == ["2"]


def test_a_day_that_was_landed_half_is_whole_after_asking_again(local: LandedDay) -> None:
    local.serve("1", "2", windows=2)
    local.api.on(f"/data/delta/{delta_name(NOON, END)}", html(503))
    with pytest.raises(SourceError):
        local.fetch()
    local.serve("3")
    local.fetch(refetch=True)
    assert local.ids() == ["3"]
    assert len(local.files()) == 3


def test_two_that_ask_again_at_once_leave_one_whole_day(local: LandedDay) -> None:
    local.serve("1")
    local.fetch()
    local.serve("2", "3", windows=2)
    with ThreadPoolExecutor(2) as both:
        for result in [both.submit(local.fetch, refetch=True) for _ in range(2)]:
            result.result()
    assert local.ids() == ["2", "3"]
    assert Landing(local.lake, Batch(local.name, DAY)).is_complete()


KILLS = [
    ("include.sources.landing:Landing.open_write", 1),
    ("include.sources.landing:Landing.open_write", 2),
    ("pathlib:Path.replace", 1),
    ("pathlib:Path.replace", 2),
    ("include.sources.landing:Landing.complete", 1),
    ("pathlib:Path.replace", 3),
    ("include.sources.landing:Landing.replace_by", 1),
    ("pathlib:Path.replace", 4),
    ("include.sources.landing:Landing.remove_replaced", 1),
    ("include.storage.lake:Lake.delete", 1),
    ("include.storage.lake:Lake.delete", 2),
]


@pytest.mark.parametrize(("target", "nth"), KILLS, ids=[f"{target.split('.')[-1]}-{nth}" for target, nth in KILLS])
def test_a_refetch_that_is_killed_leaves_the_old_day_or_the_new_one(local: LandedDay, target: str, nth: int) -> None:
    local.serve("1", "2", windows=2)
    local.fetch()
    local.serve("2", "3", windows=2)
    assert run_killed(target, nth, refetch, local.settings, local.api.url) == KILLED
    is_new = target.endswith(("remove_replaced", "delete"))
    assert local.ids() == (["2", "3"] if is_new else ["1", "2"])
    local.fetch()
    assert local.ids() == (["2", "3"] if is_new else ["1", "2"])
    local.fetch(refetch=True)
    assert local.ids() == ["2", "3"]
    assert Landing(local.lake, Batch(local.name, DAY)).is_complete()


def test_a_disk_that_is_full_while_a_day_is_replaced_leaves_the_old_one(local: LandedDay) -> None:
    local.serve("1")
    local.fetch()
    before = local.files()
    serve_a_large_file(local)
    process = multiprocessing.get_context("spawn").Process(
        target=refetch_on_a_full_disk, args=(local.settings, local.api.url)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 3
    assert local.ids() == ["1"]
    assert local.files() == before
