"""Each fault of whole answers, as a plain HTTP client sees it."""

from __future__ import annotations

import gzip
import json

import pytest
import requests

from include.sandbox.server import SandboxServer

SEARCH = "/cgi/search.pl?search_terms=champagne&json=1"


def get(server: SandboxServer, path: str = SEARCH) -> requests.Response:
    return requests.get(server.url + path, timeout=10)


def newest_delta(server: SandboxServer) -> str:
    return "/data/delta/" + get(server, "/data/delta/index.txt").text.splitlines()[0]


def test_rate_limit_says_when_to_come_back(server: SandboxServer) -> None:
    server.faults.replace(["rate_limit:first=1,seconds=7"])
    answer = get(server)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert get(server).status_code == 200


def test_unavailable_is_503_with_html(server: SandboxServer) -> None:
    server.faults.replace(["unavailable:first=1"])
    answer = get(server)
    assert answer.status_code == 503
    assert answer.text.startswith("<!DOCTYPE html>")
    assert get(server).status_code == 200


def test_slow_exceeds_a_short_time_limit_and_answers_in_the_end(server: SandboxServer) -> None:
    server.faults.replace(["slow:first=1,seconds=0.6"])
    with pytest.raises(requests.ReadTimeout):
        requests.get(server.url + SEARCH, timeout=0.2)
    assert get(server).json()["count"] > 0


def test_truncated_json_is_sent_as_if_it_were_whole(server: SandboxServer) -> None:
    whole = get(server).content
    server.faults.replace(["truncated_json:first=1"])
    answer = get(server)
    assert answer.status_code == 200
    assert answer.content == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)
    assert get(server).content == whole


def test_html_comes_instead_of_json_with_status_200(server: SandboxServer) -> None:
    server.faults.replace(["html_instead_of_json:first=1"])
    answer = get(server)
    assert (answer.status_code, answer.content[:9]) == (200, b"<!DOCTYPE")


def test_truncated_gzip_is_injected_delta_files_only(server: SandboxServer) -> None:
    path = newest_delta(server)
    server.faults.replace(["truncated_gzip:first=1"])
    assert get(server).json()["count"] > 0
    with pytest.raises(EOFError):
        gzip.decompress(get(server, path).content)
    assert gzip.decompress(get(server, path).content)


def test_cut_connection_breaks_off_in_the_middle(server: SandboxServer) -> None:
    server.faults.replace(["cut_connection:first=1"])
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(server)
    assert get(server).json()["count"] > 0


def test_oversize_answers_are_padded_without_saying_how_long_they_are(server: SandboxServer) -> None:
    server.faults.replace(["oversize:first=1,megabytes=3"])
    answer = get(server)
    assert "content-length" not in answer.headers
    assert len(answer.content) > 3 * 1024**2


def test_photos_are_spared_unless_a_path_names_them(server: SandboxServer) -> None:
    photo = get(server, "/api/v2/product/3880000000173").json()["product"]["image_front_url"]
    server.faults.replace(["unavailable:every=1"])
    assert requests.get(photo, timeout=10).status_code == 200
    server.faults.replace(["unavailable:every=1,path=/images"])
    assert requests.get(photo, timeout=10).status_code == 503
