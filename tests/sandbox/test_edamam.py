"""The Edamam parser: pages of 20 hints, a next link with the credentials in it, refusals in its shape."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from include.sandbox.demo.demo_catalogue import DemoCatalogue
from include.sandbox.server import SandboxServer

KEYS = "app_id=sandbox-id&app_key=sandbox-key"


def parser(server: SandboxServer, query: str) -> requests.Response:
    return requests.get(f"{server.url}/api/food-database/v2/parser?{query}", timeout=10)


def test_following_the_links_gives_every_hint_once(server: SandboxServer, catalogue: DemoCatalogue) -> None:
    page: Any = parser(server, f"{KEYS}&ingr=champagne").json()
    sizes, found = [], []
    while True:
        sizes.append(len(page["hints"]))
        found += [hint["food"]["foodId"] for hint in page["hints"]]
        if "next" not in page["_links"]:
            break
        page = requests.get(page["_links"]["next"]["href"], timeout=10).json()
    assert sizes[:-1] == [20] * (len(sizes) - 1)
    assert len(sizes) > 1
    about_champagne = [hint for hint in catalogue.edamam_hints() if "champagne" in str(hint).lower()]
    assert len(found) == len(set(found)) == len(about_champagne)


def test_the_next_link_carries_the_credentials_as_the_real_one_does(server: SandboxServer) -> None:
    href = parser(server, f"{KEYS}&ingr=champagne").json()["_links"]["next"]["href"]
    query = parse_qs(urlsplit(href).query)
    assert href.startswith(server.url)
    assert (query["app_id"], query["app_key"], query["session"]) == (["sandbox-id"], ["sandbox-key"], ["40"])


@pytest.mark.parametrize("query", ["ingr=champagne", "ingr=champagne&app_id=a", "ingr=champagne&app_key=b"])
def test_without_both_credentials_it_is_401(server: SandboxServer, query: str) -> None:
    answer = parser(server, query)
    assert answer.status_code == 401
    assert answer.json()["status"] == "error"


def test_without_a_word_it_is_400(server: SandboxServer) -> None:
    assert parser(server, KEYS).status_code == 400


def test_an_unknown_word_finds_nothing(server: SandboxServer) -> None:
    answer = parser(server, f"{KEYS}&ingr=xyzzy").json()
    assert (answer["text"], answer["hints"], answer["_links"]) == ("xyzzy", [], {})


def test_a_few_hints_have_a_photo_that_is_served(server: SandboxServer) -> None:
    foods = [hint["food"] for hint in parser(server, f"{KEYS}&ingr=champagne").json()["hints"]]
    pictured = [food["image"] for food in foods if "image" in food]
    assert 0 < len(pictured) < len(foods)
    assert requests.get(pictured[0], timeout=10).status_code == 200
