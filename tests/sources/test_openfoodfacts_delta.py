from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.errors import NotYetPublished, SourceError
from include.schema import Product, Rejection
from include.sources.connection import SourceConnection
from include.sources.http import HttpClient
from include.sources.landing import Landing
from include.sources.openfoodfacts import OpenFoodFacts
from include.sources.openfoodfacts_delta import (
    DayNoLongerKept,
    DeltaFile,
    day_bounds,
    files_of_day,
    parse_file_name,
    parse_index,
)
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.taxonomy import load_taxonomy
from tests.sources.api_server import Answer, ApiServer, gzip_lines, html

UNHURRIED = settings(deadline=None, max_examples=60)


DAY = date(2026, 3, 14)
START, END = day_bounds(DAY)
HOUR = 3600


def delta(start: int, end: int) -> str:
    return f"openfoodfacts_products_{start}_{end}.json.gz"


def row(code: str, moment: int | None = START + HOUR, **fields: Any) -> dict[str, Any]:
    modified = {} if moment is None else {"last_modified_t": moment}
    return {"code": code, "product_name": "Champagne brut", **modified, **fields}


@pytest.fixture
def landing(lake: Lake) -> Landing:
    return Landing(lake, Batch("openfoodfacts", DAY))


@pytest.fixture
def connection(api: ApiServer) -> SourceConnection:
    return SourceConnection(api.url, allow_private_hosts=True)


def serve(api: ApiServer, files: dict[str, bytes]) -> None:
    """The files, listed newest first."""
    api.on("/data/delta/index.txt", Answer("\n".join(reversed(files)).encode()))
    for name, content in files.items():
        api.on(f"/data/delta/{name}", Answer(content))


def fetch_and_read(landing: Landing, connection: SourceConnection, http: HttpClient) -> list[Product | Rejection]:
    source = OpenFoodFacts()
    source.fetch(DAY, landing, connection, http)
    return list(source.read(DAY, landing))


def ids(records: list[Product | Rejection]) -> list[str | None]:
    return [record.native_id for record in records]


# The index


def test_the_index_is_read_oldest_first_and_only_real_names_count() -> None:
    text = "\r\n".join(
        [
            delta(200, 300),
            delta(100, 200),
            "",
            "../../etc/passwd",
            f"../{delta(1, 2)}",
            f"{delta(1, 2)}?x=1",
            "openfoodfacts_products_1_2.json",
            "openfoodfacts_products_٣_4.json.gz",
            delta(300, 200),
            delta(100, 200),
        ]
    )
    assert parse_index(text) == [DeltaFile(100, 200, delta(100, 200)), DeltaFile(200, 300, delta(200, 300))]


@UNHURRIED
@given(st.text())
def test_no_text_at_all_breaks_the_index(text: str) -> None:
    for file in parse_index(text):
        assert "/" not in file.name


def files(*windows: tuple[int, int]) -> list[DeltaFile]:
    return [DeltaFile(start, end, delta(start, end)) for start, end in windows]


@pytest.mark.parametrize(
    ("windows", "chosen"),
    [
        pytest.param([(START, END)], [0], id="exactly the day"),
        pytest.param([(START - HOUR, START + HOUR), (START + HOUR, END + HOUR)], [0, 1], id="two halves"),
        pytest.param([(START - 99 * HOUR, END + 99 * HOUR)], [0], id="a window of many days"),
        pytest.param([(START - 24 * HOUR, START), (START, END), (END, END + 9)], [1], id="neighbours are left alone"),
        pytest.param([(START, START + 9), (START + 10, END - 1)], [0, 1], id="a second missing"),
        pytest.param([(START, START + 9), (START + HOUR, END)], [0, 1], id="under an hour missing"),
    ],
)
def test_the_files_of_a_day_are_those_whose_windows_overlap_it(
    windows: list[tuple[int, int]], chosen: list[int]
) -> None:
    listed = files(*windows)
    assert files_of_day(listed, DAY, "http://x") == [listed[index] for index in chosen]


@pytest.mark.parametrize(
    "windows",
    [
        pytest.param([(END, END + 24 * HOUR)], id="all files are younger"),
        pytest.param([(START + HOUR, END + HOUR)], id="the first hour is gone"),
        pytest.param([(START - HOUR, START + HOUR), (START + 5 * HOUR, END)], id="a file in the middle is missing"),
        pytest.param([(START - 9 * HOUR, START - 5 * HOUR), (END, END + HOUR)], id="the day itself is missing"),
    ],
)
def test_a_gap_names_the_command_for_the_full_dump(windows: list[tuple[int, int]]) -> None:
    with pytest.raises(DayNoLongerKept) as caught:
        files_of_day(files(*windows), DAY, "https://static.openfoodfacts.org")
    message = str(caught.value)
    assert "2026-03-14" in message
    assert "https://static.openfoodfacts.org/data/openfoodfacts-products.jsonl.gz" in message
    assert f"python -m include land-dump PATH {DAY} {DAY}" in message


@pytest.mark.parametrize("newest_end", [START - 9, START, START + HOUR, END - 60])
def test_a_day_that_is_not_published_whole_is_to_be_tried_later(newest_end: int) -> None:
    with pytest.raises(NotYetPublished, match=r"not yet published.*try again after"):
        files_of_day(files((START - 99 * HOUR, newest_end)), DAY, "http://x")


def test_an_empty_index_is_an_error() -> None:
    with pytest.raises(SourceError, match="lists no delta file"):
        files_of_day([], DAY, "http://x")


@UNHURRIED
@given(
    st.lists(st.integers(0, 40 * 24), min_size=2, max_size=12, unique=True),
    st.lists(st.integers(0, 45 * 24) | st.none()),
)
def test_every_row_of_contiguous_files_has_exactly_one_day(bounds: list[int], moments: list[int | None]) -> None:
    edges = [edge * HOUR + 17 for edge in sorted(bounds)]
    days = [day_bounds(date.fromordinal(date(1970, 1, 1).toordinal() + n)) for n in range(50)]
    for start, end in pairwise(edges):
        file = DeltaFile(start, end, delta(start, end))
        for moment in moments:
            owners = [bounds for bounds in days if file.owns(None if moment is None else moment * HOUR, *bounds)]
            assert len(owners) == 1
            day_start, day_end = owners[0]
            assert file.end > day_start, "a day that owns a row fetches its file"
            assert file.start < day_end


# Fetching


def test_a_day_is_landed_as_served_and_read(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    first, second = gzip_lines([row("0001"), row("0002")]), gzip_lines([row("0003", END - HOUR)])
    served = {delta(START - HOUR, START + 9 * HOUR): first, delta(START + 9 * HOUR, END + HOUR): second}
    serve(api, {delta(0, START - HOUR): b"never asked for", **served})
    records = fetch_and_read(landing, connection, http)
    assert ids(records) == ["0003", "0001", "0002"]
    assert {name: landing.lake.read_bytes(landing.path(name)) for name in landing.file_names()} == served
    assert landing.is_complete()
    assert api.asked(f"/data/delta/{delta(0, START - HOUR)}") == 0


def test_of_a_product_that_changed_twice_on_a_day_the_newest_state_comes_first(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    older, newer = row("0001", START + HOUR), row("0001", END - HOUR)
    serve(
        api,
        {delta(START, START + 9 * HOUR): gzip_lines([older]), delta(START + 9 * HOUR, END): gzip_lines([newer])},
    )
    moments = [
        record.last_modified for record in fetch_and_read(landing, connection, http) if isinstance(record, Product)
    ]
    assert [moment and int(moment.timestamp()) for moment in moments] == [END - HOUR, START + HOUR]


def test_a_second_fetch_resumes_and_leaves_the_same_files(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    names = [delta(START, START + HOUR), delta(START + HOUR, END)]
    serve(api, {name: gzip_lines([row(str(number))]) for number, name in enumerate(names)})
    api.on(f"/data/delta/{names[1]}", html(503))
    with pytest.raises(SourceError, match=names[1]):
        OpenFoodFacts().fetch(DAY, landing, connection, http)
    assert landing.file_names() == [names[0]]
    assert not landing.is_complete()

    api.on(f"/data/delta/{names[1]}", Answer(gzip_lines([row("1")])))
    assert ids(fetch_and_read(landing, connection, http)) == ["1", "0"]
    assert api.asked(f"/data/delta/{names[0]}") == 1

    before = {path: landing.lake.read_bytes(path) for path in landing.lake.list_files(landing.folder)}
    assert ids(fetch_and_read(landing, connection, http)) == ["1", "0"]
    assert {path: landing.lake.read_bytes(path) for path in landing.lake.list_files(landing.folder)} == before


def test_a_cut_off_file_is_asked_for_again(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    whole = gzip_lines([row(str(number)) for number in range(50)])
    serve(api, {delta(START, END): whole})
    api.on(
        f"/data/delta/{delta(START, END)}",
        Answer(whole[:-30]),
        Answer(whole[:-30], announced=len(whole)),
        Answer(whole),
    )
    assert len(fetch_and_read(landing, connection, http)) == 50


def test_an_index_that_is_an_html_page_is_asked_for_again(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    serve(api, {delta(START, END): gzip_lines([row("0001")])})
    api.on("/data/delta/index.txt", html(200), Answer(delta(START, END).encode()))
    assert ids(fetch_and_read(landing, connection, http)) == ["0001"]


# Reading


def land(landing: Landing, rows: list[Any], name: str = delta(START, END)) -> None:
    with landing.open_write(name) as stream:
        stream.write(gzip_lines(rows))
    landing.complete({})


def test_an_empty_file_is_an_empty_day(landing: Landing) -> None:
    with landing.open_write(delta(START, END)) as stream:
        stream.write(gzip.compress(b""))
    landing.complete({})
    assert list(OpenFoodFacts().read(DAY, landing)) == []


def test_rows_of_other_days_are_left_to_those_days(landing: Landing) -> None:
    moments = [START - 1, START, END - 1, END, END + HOUR - 1]
    land(landing, [row(str(n), moment) for n, moment in enumerate(moments)], delta(START - HOUR, END + HOUR))
    assert ids(list(OpenFoodFacts().read(DAY, landing))) == ["1", "2"]


def test_rows_without_a_usable_time_belong_to_the_day_their_window_starts(landing: Landing) -> None:
    rows = [row("1", None), row("2", START - 365 * 24 * HOUR), row("3", last_modified_t=str(START + 5))]
    land(landing, rows)
    assert ids(list(OpenFoodFacts().read(DAY, landing))) == ["1", "2", "3"]
    other = Landing(landing.lake, Batch("openfoodfacts", date(2026, 3, 15)))
    land(other, rows)
    assert list(OpenFoodFacts().read(other.day, other)) == []


def test_a_time_that_overflows_belongs_to_the_day_its_window_starts_and_is_set_aside(landing: Landing) -> None:
    times = [b"1e999", b"-1e999", b"1" * 5_000, b'"1e400"', b"-0.0", b'"' + b"9" * 5_000 + b'"']
    codes = [json.dumps(row(str(number))).encode()[:-1] for number in range(len(times))]
    lines = [code + b', "last_modified_t": ' + time + b"}" for code, time in zip(codes, times, strict=True)]
    land(landing, [*lines, row("42")])
    records = list(OpenFoodFacts().read(DAY, landing))
    assert [record.native_id for record in records] == ["0", "1", "2", "3", "4", "5", "42"]
    assert [record.native_id for record in records if isinstance(record, Product)] == ["4", "42"]


def test_a_record_nested_without_end_is_set_aside_or_kept_as_what_it_says(landing: Landing) -> None:
    lines = []
    for number, depth in enumerate([63, 64, 65, 200, 400, 600, 900, 2_000, 100_000]):
        deep = b'[{"a":' * (depth // 2) + b'"champagne\\u0000"' + b"}]" * (depth // 2)
        lines.append(json.dumps(row(str(number))).encode()[:-1] + b', "x": ' + deep + b"}")
        lines.append(json.dumps(row(f"3.0{number}E+12")).encode()[:-1] + b', "x": ' + deep + b"}")
    land(landing, lines)
    records = list(OpenFoodFacts().read(DAY, landing))
    assert [type(record) for record in records] == [Product, Rejection] * 9
    assert [record.native_id for record in records if isinstance(record, Product)] == list("012345678")


def test_champagne_and_wine_come_in_and_the_rest_stays_out(landing: Landing) -> None:
    rows = [
        row("1", product_name="Lentilles rosées de Champagne"),
        row("2", product_name="Moutarde", ingredients_text="eau, vinaigre de champagne"),
        row("3", product_name="Prosecco", categories_tags=["en:beverages", "en:wines", "en:sparkling-wines"]),
        row("4", product_name="Brut", categories="Produits,Champagnes"),
        row("5", product_name="Lait demi-écrémé", categories_tags=["en:milks"]),
    ]
    land(landing, rows)
    assert ids(list(OpenFoodFacts().read(DAY, landing))) == ["1", "2", "3", "4"]


def test_bad_rows_are_set_aside_only_when_they_could_be_champagne(landing: Landing) -> None:
    rows = [
        row("3.00E+12"),
        row("3.00E+12", product_name="Lait"),
        row("7", product_name="Lait", schema_version=2000),
        {"code": "9", "product_name": None, "categories": "Champagnes", "last_modified_t": START},
        b'{"code": "10", "product_name": "Lai',
        b"<html>",
        b'["champagne"]',
        row("11"),
    ]
    land(landing, rows)
    records = list(OpenFoodFacts().read(DAY, landing))
    outcome = [record.reasons if isinstance(record, Rejection) else record.native_id for record in records]
    assert outcome == [
        ("code_damaged",),
        ("no_name",),
        ("not_json",),
        ("not_json",),
        ("wrong_type",),
        "11",
    ]
    positions = [record.position for record in records if isinstance(record, Rejection)]
    assert positions[0] == f"{delta(START, END)}:1"
    assert len(set(positions)) == len(positions)


@UNHURRIED
@given(lines=st.lists(st.binary(max_size=40) | st.text().map(lambda text: json.dumps({"code": text}).encode())))
def test_no_row_stops_the_batch(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    landing = Landing(Lake(str(tmp_path_factory.mktemp("lake"))), Batch("openfoodfacts", DAY))
    land(landing, [line.replace(b"\n", b" ") for line in lines] + [row("42")])
    assert list(OpenFoodFacts().read(DAY, landing))[-1].native_id == "42"


def test_the_real_champagne_rows_pass_the_filter(shared_data: Path, landing: Landing) -> None:
    lines = (shared_data / "openfoodfacts" / "products.jsonl").read_bytes().splitlines()
    land(landing, lines)
    records = list(OpenFoodFacts().read(DAY, landing))
    champagne = {json.loads(line)["code"] for line in lines if json.loads(line)["_extract"] == "champagne_rows"}
    assert len(champagne) == 557
    assert champagne <= {record.native_id for record in records}
    taxonomy = load_taxonomy()
    assert all(
        taxonomy.is_champagne_product(record.name, record.ingredients)
        for record in records
        if isinstance(record, Product)
    )
    assert len(records) < len(lines)


def test_file_names_are_the_only_paths() -> None:
    assert parse_file_name(delta(1, 2)) == DeltaFile(1, 2, delta(1, 2))
    assert parse_file_name(f"x/{delta(1, 2)}") is None
    assert datetime.fromtimestamp(START, UTC).isoformat() == "2026-03-14T00:00:00+00:00"
