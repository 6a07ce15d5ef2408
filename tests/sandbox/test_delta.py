"""Delta files: windows without gap or overlap, the same bytes each time, every record in exactly one."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import requests

from include.sandbox.catalogue import SECONDS_PER_DAY
from include.sandbox.delta import DAYS_KEPT, windows
from include.sandbox.demo.demo_catalogue import DemoCatalogue
from include.sandbox.server import SandboxServer


def listed(server: SandboxServer) -> list[str]:
    return requests.get(f"{server.url}/data/delta/index.txt", timeout=10).text.splitlines()


def content(server: SandboxServer, name: str) -> bytes:
    answer = requests.get(f"{server.url}/data/delta/{name}", timeout=10)
    answer.raise_for_status()
    return answer.content


def test_the_index_lists_names_newest_first(server: SandboxServer) -> None:
    names = listed(server)
    spans = [re.fullmatch(r"openfoodfacts_products_(\d+)_(\d+)\.json\.gz", name) for name in names]
    starts = [int(span[1]) for span in spans if span]
    assert len(starts) == len(names) == DAYS_KEPT + 1
    assert starts == sorted(starts, reverse=True)


def test_windows_follow_one_another_over_14_days() -> None:
    oldest_first = windows(DemoCatalogue(date(2026, 3, 1), days=40))[::-1]
    assert all(before.end == after.start for before, after in pairwise(oldest_first))
    assert oldest_first[-1].end - oldest_first[0].start == DAYS_KEPT * SECONDS_PER_DAY
    assert oldest_first[-1].end == int(datetime(2026, 4, 10, tzinfo=UTC).timestamp())


def test_one_window_straddles_midnight() -> None:
    straddling = [
        window
        for window in windows(DemoCatalogue(date(2026, 1, 5)))
        if window.start // SECONDS_PER_DAY != (window.end - 1) // SECONDS_PER_DAY
    ]
    assert len(straddling) == 1


def test_every_record_stands_in_one_file(server: SandboxServer, catalogue: DemoCatalogue) -> None:
    lines = [line for name in listed(server) for line in gzip.decompress(content(server, name)).splitlines()]
    codes = sorted(json.loads(line)["code"] for line in lines)
    assert codes == sorted(dated.record["code"] for dated in catalogue.records())


def test_a_day_without_products_has_an_empty_gzip_file(server: SandboxServer) -> None:
    assert gzip.decompress(content(server, listed(server)[-1])) == b""


def test_a_file_is_the_same_bytes_on_each_request(server: SandboxServer) -> None:
    name = listed(server)[0]
    assert content(server, name) == content(server, name)


def test_two_catalogues_of_the_same_seed_are_the_same() -> None:
    first, second = (DemoCatalogue(date(2026, 1, 5), seed=3) for _ in range(2))
    assert first.records() == second.records()
    assert first.edamam_hints() == second.edamam_hints()
    assert first.records() != DemoCatalogue(date(2026, 1, 5), seed=4).records()


def test_days_older_than_the_windows_are_in_the_full_dump_only() -> None:
    catalogue = DemoCatalogue(date(2026, 1, 1), days=DAYS_KEPT + 2)
    with SandboxServer(catalogue) as server:
        kept = b"".join(gzip.decompress(content(server, name)) for name in listed(server))
        answer = requests.get(f"{server.url}/data/openfoodfacts-products.jsonl.gz", timeout=10)
    dumped = gzip.decompress(answer.content)
    first_day = date(2026, 1, 1)
    old = [
        dated.record["code"]
        for dated in catalogue.records()
        if datetime.fromtimestamp(dated.moment, UTC).date() == first_day and dated.record["code"].startswith("38800000")
    ]
    corrected_later = {
        dated.record["code"]
        for dated in catalogue.records()
        if datetime.fromtimestamp(dated.moment, UTC).date() >= first_day + timedelta(days=2)
    }
    gone = [code for code in old if code not in corrected_later]
    assert len(gone) > 50
    assert all(f'"code":"{code}"'.encode() not in kept for code in gone)
    assert all(f'"code":"{code}"'.encode() in dumped for code in gone)
