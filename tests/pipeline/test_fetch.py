"""Fetching a day, and asking for it anew: what was landed stays the day's until the new answer is whole."""

from __future__ import annotations

import gzip
import multiprocessing
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from include.errors import BatchRejected, SourceError
from include.pipeline.fetch import fetch_day
from include.settings import Settings
from include.sources import get_source
from include.sources.connection import SourceConnection
from include.sources.edamam import PARSER_PATH
from include.sources.landing import Landing
from include.sources.openfoodfacts_delta import day_bounds
from include.warehouse.lake import Lake
from tests.fixtures.killing import KILLED, run_killed
from tests.sources.api_server import Answer, ApiServer, Request, as_json, gzip_lines, html

DAY = date(2026, 3, 14)
START, END = day_bounds(DAY)
NOON = START + 12 * 3600
NOWHERE = SourceConnection("http://127.0.0.1:9", allow_private_hosts=True)


@pytest.fixture
def api() -> Iterator[ApiServer]:
    server = ApiServer()
    yield server
    server.close()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake alone: nothing here needs a model."""
    return Lake(str(tmp_path / "lake"))


@dataclass(frozen=True)
class Source:
    """One day of Open Food Facts at a server, and the lake that it is landed in."""

    api: ApiServer
    settings: Settings
    name: str = "openfoodfacts"

    @property
    def connection(self) -> SourceConnection:
        return SourceConnection(
            self.api.url, app_id="an-application-id", app_key="an-application-key", allow_private_hosts=True
        )

    def serve(self, *codes: str, windows: int = 1) -> None:
        """Serve products of these codes, divided over so many delta files."""
        bounds = [START + number * (END - START) // windows for number in range(windows + 1)]
        names = [f"openfoodfacts_products_{a}_{b}.json.gz" for a, b in pairwise(bounds)]
        self.api.on("/data/delta/index.txt", Answer("\n".join(names).encode()))
        for number, name in enumerate(names):
            rows = [
                {"code": code, "product_name": "Champagne brut", "last_modified_t": bounds[number] + 60}
                for code in codes[number::windows]
            ]
            self.api.on(f"/data/delta/{name}", Answer(gzip_lines(rows)))

    def serve_foods(self, *foods: str) -> None:
        """Serve foods of these ids by Edamam's parser, one on each page."""

        def answer(request: Request) -> Answer:
            number = int(request.query.get("session", "0"))
            hints = [{"food": {"foodId": name, "label": f"Champagne {name}"}} for name in foods[number : number + 1]]
            following = f"{self.api.url}{PARSER_PATH}?session={number + 1}&ingr=champagne"
            links = {"next": {"title": "Next page", "href": following}} if number + 1 < len(foods) else {}
            return as_json({"hints": hints, "_links": links})

        self.api.on_call(PARSER_PATH, answer)

    def fetch(self, **options: Any) -> None:
        fetch_day(self.name, DAY, self.settings, self.connection, **options)

    def ids(self) -> list[str | None]:
        """The ids of the landed day, sorted."""
        records = get_source(self.name).read(DAY, Landing(self.lake, self.name, DAY))
        return sorted(str(record.native_id) for record in records)

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_root)

    def files(self) -> list[str]:
        return [path.rsplit("/", 1)[-1] for path in self.lake.list_files("landing")]


def quick(state_dir: Path, lake_url: str) -> Settings:
    return Settings(state_dir=state_dir, lake_url=lake_url, http_attempts=1, http_backoff_seconds=0)


@pytest.fixture
def source(api: ApiServer, any_lake: Lake, tmp_path: Path) -> Source:
    return Source(api, quick(tmp_path / "state", any_lake.root))


@pytest.fixture
def local(api: ApiServer, lake: Lake, tmp_path: Path) -> Source:
    return Source(api, quick(tmp_path / "state", lake.root))


@pytest.fixture
def edamam(api: ApiServer, lake: Lake, tmp_path: Path) -> Source:
    return Source(api, quick(tmp_path / "state", lake.root), "edamam")


def test_a_whole_new_answer_replaces_the_landed_day_and_leaves_no_file_of_it(source: Source) -> None:
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
    assert not Landing(source.lake, source.name, DAY).has(f"openfoodfacts_products_{START}_{NOON}.json.gz")


def test_without_network_what_was_landed_is_kept_and_the_message_says_so(source: Source) -> None:
    source.serve("1", "2")
    source.fetch()
    before = source.files()
    with pytest.raises(SourceError, match="nothing was replaced: the landed day is as it was before"):
        fetch_day(source.name, DAY, source.settings, NOWHERE, refetch=True)
    assert source.ids() == ["1", "2"]
    assert source.files() == before


def test_an_answer_that_breaks_off_replaces_nothing_and_the_next_refetch_begins_anew(edamam: Source) -> None:
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


def test_a_first_fetch_that_breaks_off_says_what_is_landed_and_resumes(local: Source) -> None:
    local.serve("1", "2", windows=2)
    local.api.on(f"/data/delta/openfoodfacts_products_{NOON}_{END}.json.gz", html(503))
    with pytest.raises(SourceError, match="1 file is landed, the next try resumes"):
        local.fetch()
    local.api.requests.clear()
    local.serve("1", "2", windows=2)
    local.fetch()
    assert local.api.asked(f"/data/delta/openfoodfacts_products_{START}_{NOON}.json.gz") == 0
    assert local.ids() == ["1", "2"]


def test_a_first_fetch_without_an_answer_does_not_claim_that_something_is_kept(local: Source) -> None:
    with pytest.raises(SourceError) as failure:
        fetch_day("openfoodfacts", DAY, local.settings, NOWHERE)
    assert "kept" not in str(failure.value)
    assert "landed" not in str(failure.value)


@pytest.mark.parametrize("served", [[], ["Mineral water"]])
def test_an_answer_without_records_replaces_records_only_with_a_persons_word(source: Source, served: list[str]) -> None:
    source.serve("1", "2")
    source.fetch()
    before = source.files()
    rows = [{"code": "9", "product_name": name, "last_modified_t": START + 60} for name in served]
    source.api.on(f"/data/delta/openfoodfacts_products_{START}_{END}.json.gz", Answer(gzip_lines(rows)))
    with pytest.raises(BatchRejected, match=r"--refetch --allow-empty.*nothing was replaced"):
        source.fetch(refetch=True)
    assert source.ids() == ["1", "2"]
    assert source.files() == before

    source.fetch(refetch=True, allow_empty=True)
    assert source.ids() == []


def test_foods_that_are_gone_replace_foods_only_with_a_persons_word(edamam: Source) -> None:
    edamam.serve_foods("food_1", "food_2")
    edamam.fetch()
    edamam.serve_foods()
    with pytest.raises(BatchRejected, match="run-day 2026-03-14 --source edamam --refetch --allow-empty"):
        edamam.fetch(refetch=True)
    assert edamam.ids() == ["food_1", "food_2"]
    edamam.fetch(refetch=True, allow_empty=True)
    assert edamam.ids() == []


def test_a_day_without_records_may_be_asked_for_again_and_again(local: Source) -> None:
    local.serve()
    for refetch in (False, True, True):
        local.fetch(refetch=refetch)
        assert local.ids() == []
    local.serve("1")
    local.fetch(refetch=True)
    assert local.ids() == ["1"]


@pytest.mark.parametrize("damage", ["manifest.json", f"openfoodfacts_products_{START}_{END}.json.gz"])
def test_a_damaged_day_is_mended_by_asking_anew(local: Source, damage: str) -> None:
    local.serve("1")
    local.fetch()
    local.lake.write_bytes(f"{Lake.partition('landing', local.name, DAY)}/{damage}", b"{")
    local.serve("2")
    local.fetch(refetch=True)
    assert local.ids() == ["2"]


def test_a_day_that_was_landed_half_is_whole_after_asking_anew(local: Source) -> None:
    local.serve("1", "2", windows=2)
    local.api.on(f"/data/delta/openfoodfacts_products_{NOON}_{END}.json.gz", html(503))
    with pytest.raises(SourceError):
        local.fetch()
    local.serve("3")
    local.fetch(refetch=True)
    assert local.ids() == ["3"]
    assert len(local.files()) == 3


def test_two_that_ask_anew_at_once_leave_one_whole_day(local: Source) -> None:
    local.serve("1")
    local.fetch()
    local.serve("2", "3", windows=2)
    with ThreadPoolExecutor(2) as both:
        for result in [both.submit(local.fetch, refetch=True) for _ in range(2)]:
            error = result.exception()
            assert error is None or "another process" in str(error)
    assert local.ids() == ["2", "3"]
    assert Landing(local.lake, local.name, DAY).is_complete()


def refetch(settings: Settings, url: str) -> None:
    fetch_day("openfoodfacts", DAY, settings, SourceConnection(url, allow_private_hosts=True), refetch=True)


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
    ("include.warehouse.lake:Lake.delete", 1),
    ("include.warehouse.lake:Lake.delete", 2),
]


@pytest.mark.parametrize(("target", "nth"), KILLS, ids=[f"{target.split('.')[-1]}-{nth}" for target, nth in KILLS])
def test_a_refetch_that_is_killed_leaves_the_old_day_or_the_new_one(local: Source, target: str, nth: int) -> None:
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
    assert Landing(local.lake, local.name, DAY).is_complete()


def refetch_on_a_full_disk(settings: Settings, url: str) -> None:
    # The kernel refuses to write past this size, as it refuses to write to a full disk: by an OSError.
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        refetch(settings, url)
    except OSError:
        raise SystemExit(3) from None


def test_a_disk_that_is_full_while_a_day_is_replaced_leaves_the_old_one(local: Source) -> None:
    local.serve("1")
    local.fetch()
    before = local.files()
    incompressible = gzip.compress(bytes(range(256)) * 4, 0) * 40
    local.api.on(f"/data/delta/openfoodfacts_products_{START}_{END}.json.gz", Answer(incompressible))
    process = multiprocessing.get_context("spawn").Process(
        target=refetch_on_a_full_disk, args=(local.settings, local.api.url)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 3
    assert local.ids() == ["1"]
    assert local.files() == before
