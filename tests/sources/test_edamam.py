from __future__ import annotations

import copy
import dataclasses
import gzip
import json
import logging
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.errors import ConfigurationError, SourceError
from include.schema import PRODUCTS, QUARANTINE, Product, Rejection
from include.sources.connection import SourceConnection
from include.sources.edamam import PARSER_PATH, Edamam, without_credentials
from include.sources.edamam_record import parse_food
from include.sources.http import HttpClient
from include.sources.landing import Landing
from include.storage.batch import Batch
from include.storage.lake import Lake
from tests.sources.api_server import Answer, ApiServer, Request, as_json, html

UNHURRIED = settings(deadline=None, max_examples=60)


DAY = date(2026, 3, 14)
APP_ID, APP_KEY = "a1b2c3d4", "0123456789abcdef0123456789abcdef"


def food(number: int, **fields: Any) -> dict[str, Any]:
    return {"foodId": f"food_{number}", "label": f"Champagne {number}", "category": "Generic foods", **fields}


class Parser:
    """Edamam's parser over a list of foods, two a page; its links carry the credentials, as the real ones do."""

    def __init__(self, api: ApiServer, foods: list[Any]) -> None:
        self._api = api
        self._foods = foods
        self.next_href: str | None = None

    def __call__(self, request: Request) -> Answer:
        if (request.query.get("app_id"), request.query.get("app_key")) != (APP_ID, APP_KEY):
            return as_json({"status": "error", "message": "Unauthorized"}, 401)
        start = int(request.query.get("session", "0"))
        shown = self._foods[start : start + 2]
        page: dict[str, Any] = {
            "text": request.query["ingr"],
            "parsed": [{"food": self._foods[0]}] if self._foods else [],
            "hints": [{"food": item, "measures": []} for item in shown],
            "_links": {},
        }
        if start + 2 < len(self._foods):
            query = f"session={start + 2}&app_key={APP_KEY}&app_id={APP_ID}&ingr={request.query['ingr']}"
            page["_links"] = {
                "next": {"title": "Next page", "href": self.next_href or f"{self._api.url}{PARSER_PATH}?{query}"}
            }
        return as_json(page)


@pytest.fixture
def landing(lake: Lake) -> Landing:
    return Landing(lake, Batch("edamam", DAY))


@pytest.fixture
def connection(api: ApiServer) -> SourceConnection:
    return SourceConnection(api.url, app_id=APP_ID, app_key=APP_KEY, allow_private_hosts=True)


def fetch_and_read(landing: Landing, connection: SourceConnection, http: HttpClient) -> list[Product | Rejection]:
    Edamam().fetch(DAY, landing, connection, http)
    return list(Edamam().read(DAY, landing))


def landed_text(landing: Landing) -> str:
    texts = []
    for path in landing.lake.list_files(landing.folder):
        body = landing.lake.read_bytes(path)
        texts.append((gzip.decompress(body) if path.endswith(".gz") else body).decode())
    return "\n".join(texts)


def test_all_pages_are_landed_and_each_food_is_read_once_in_order(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    api.on_call(PARSER_PATH, Parser(api, [food(n) for n in (1, 2, 3, 2, 5)]))
    records = fetch_and_read(landing, connection, http)
    assert [record.native_id for record in records] == ["food_1", "food_2", "food_3", "food_5"]
    assert landing.file_names() == ["page-00001.json.gz", "page-00002.json.gz", "page-00003.json.gz"]
    assert landing.is_complete()


def test_the_search_word_is_the_settings(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    api.on_call(PARSER_PATH, Parser(api, [food(1)]))
    Edamam().fetch(DAY, landing, connection, http)
    assert [request.query["ingr"] for request in api.requests] == ["champagne"]


def test_credentials_are_neither_landed_nor_logged(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = food(1, uri=f"https://x.org/?app_id={APP_ID}&APP_KEY={APP_KEY}", knownAs=f"key {APP_KEY}, champagne")
    parser = Parser(api, [echo, food(2), food(3)])
    answers = iter([html(503)])
    api.on_call(PARSER_PATH, lambda request: next(answers, None) or parser(request))
    records = fetch_and_read(landing, connection, http)
    everything = [landed_text(landing), caplog.text, repr(records), repr(connection)]
    assert len(records) == 3
    assert "app_key=REDACTED" in caplog.text
    for text in everything:
        assert APP_ID not in text
        assert APP_KEY not in text


def test_a_failed_fetch_names_no_credentials_and_the_next_resumes_with_the_following_page(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    parser = Parser(api, [food(n) for n in range(5)])
    api.on_call(PARSER_PATH, lambda request: html(503) if "session" in request.query else parser(request))
    with pytest.raises(SourceError, match="503") as caught:
        Edamam().fetch(DAY, landing, connection, http)
    assert APP_KEY not in str(caught.value)
    assert landing.file_names() == ["page-00001.json.gz"]

    api.requests.clear()
    api.on_call(PARSER_PATH, parser)
    assert len(fetch_and_read(landing, connection, http)) == 5
    assert [request.query["session"] for request in api.requests] == ["2", "4"]

    api.requests.clear()
    before = {path: landing.lake.read_bytes(path) for path in landing.lake.list_files(landing.folder)}
    Edamam().fetch(DAY, landing, connection, http)
    assert {path: landing.lake.read_bytes(path) for path in landing.lake.list_files(landing.folder)} == before
    assert api.requests == []


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/api/food-database/v2/parser?session=2",
        "http://127.0.0.1:1/api/food-database/v2/parser?session=2",
        "//evil.example/x?session=2",
        "/api/food-database/v2/parser?session=2",
        "http://[::1?session=2",
    ],
)
def test_a_next_link_to_another_host_is_not_followed(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient, href: str
) -> None:
    parser = Parser(api, [food(n) for n in range(5)])
    parser.next_href = href
    api.on_call(PARSER_PATH, parser)
    with pytest.raises(SourceError, match="another host"):
        Edamam().fetch(DAY, landing, connection, http)
    assert len(api.requests) == 1
    assert not landing.is_complete()


def test_links_in_a_circle_are_an_error(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    parser = Parser(api, [food(n) for n in range(9)])
    parser.next_href = f"{api.url}{PARSER_PATH}?session=2&ingr=champagne"
    api.on_call(PARSER_PATH, parser)
    with pytest.raises(SourceError, match="links back to an earlier page"):
        Edamam().fetch(DAY, landing, connection, http)


@pytest.mark.parametrize("number", ["1e999", "-1e400", "9" * 5_000])
def test_a_number_that_overflows_on_a_page_loses_no_food_and_no_page(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient, number: str
) -> None:
    parser = Parser(api, [food(n, nutrients={"X": "hostile"} if n == 3 else {}) for n in range(1, 8)])
    api.on_call(PARSER_PATH, lambda request: replaced(parser(request), b'"hostile"', number.encode()))
    records = fetch_and_read(landing, connection, http)
    assert [record.native_id for record in records] == [f"food_{n}" for n in range(1, 8)]
    for name in landing.file_names():
        json.loads(gzip.decompress(landing.lake.read_bytes(landing.path(name))), parse_constant=pytest.fail)


def replaced(answer: Answer, old: bytes, new: bytes) -> Answer:
    return dataclasses.replace(answer, body=answer.body.replace(old, new))


def test_a_food_nested_without_end_loses_no_food_and_no_page(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    parser = Parser(api, [food(n, x="deep" if n == 3 else "") for n in range(1, 8)])
    for depth in (200, 600, 2_000, 100_000):
        deep = b"[" * depth + b"]" * depth
        api.on_call(PARSER_PATH, lambda request, deep=deep: replaced(parser(request), b'"deep"', deep))
        landing.lake.delete(landing.folder)
        assert len(fetch_and_read(landing, connection, http)) == 7


UNREADABLE = [b'{"hints": [Infinity]}', b"{", b"[]", b"{}", b'{"hints": "none"}', b"", b'{"hints": []}\n{}']


@pytest.mark.parametrize("line", UNREADABLE)
def test_a_landed_page_that_cannot_be_read_is_an_error_and_no_end(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient, line: bytes
) -> None:
    api.on_call(PARSER_PATH, Parser(api, [food(n) for n in range(5)]))
    Edamam().fetch(DAY, landing, connection, http)
    with landing.open_write("page-00002.json.gz") as stream:
        stream.write(gzip.compress(line))
    with pytest.raises(SourceError, match=r"page-00002.*fetch the day again"):
        list(Edamam().read(DAY, landing))
    landing.lake.delete(landing.path("manifest.json"))
    with pytest.raises(SourceError, match=r"page-00002.*fetch the day again"):
        Edamam().fetch(DAY, landing, connection, http)
    assert not landing.is_complete()


@pytest.mark.parametrize("links", ["x", [1], {"next": "x"}, {"next": {"href": 5}}, {"next": [{"href": "x"}]}])
def test_a_link_to_the_next_page_that_cannot_be_read_is_an_error_and_no_end(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient, links: Any
) -> None:
    api.on(PARSER_PATH, as_json({"hints": [{"food": food(1)}], "_links": links}))
    with pytest.raises(SourceError, match="link to the next page"):
        Edamam().fetch(DAY, landing, connection, http)
    assert not landing.is_complete()


def test_one_page_without_foods_is_a_hole_and_two_are_the_end(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    def page(request: Request) -> Answer:
        number = int(request.query.get("session", "1"))
        following = f"{api.url}{PARSER_PATH}?session={number + 1}&ingr=champagne"
        foods = {1: [food(1)], 3: [food(3)]}.get(number, [])
        return as_json({"hints": [{"food": item} for item in foods], "_links": {"next": {"href": following}}})

    api.on_call(PARSER_PATH, page)
    assert [record.native_id for record in fetch_and_read(landing, connection, http)] == ["food_1", "food_3"]
    assert len(api.requests) == 5


ADDRESSES = [
    "https://img.example/a.jpg?key=42",
    "https://img.example/a.jpg?token=abc&size=1",
    "https://s3.example/a.jpg?X-Amz-Signature=0a1b&X-Amz-Expires=60&app_id=5",
    "https://img.example/signature=x/password=y.jpg",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_photo_address_of_somebody_else_is_landed_whole(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient, address: str
) -> None:
    api.on_call(PARSER_PATH, Parser(api, [food(1, image=address)]))
    assert [getattr(record, "image_url", "") for record in fetch_and_read(landing, connection, http)] == [address]


def test_our_credentials_are_taken_out_by_value_whatever_they_look_like() -> None:
    connection = SourceConnection("https://api.edamam.com", app_id="12345678", app_key="k/+e y=")
    page = {
        "hints": [{"food": {"label": "a 12345678 b", "n": 12345678, "x": ["u?q=k%2F%2Be%20y%3D", "k/+e y="]}}],
        "12345678": 1,
    }
    landed = json.dumps(without_credentials(page, connection))
    assert "k/+e y=" not in landed
    assert "k%2F%2Be" not in landed
    assert '"n": 12345678' in landed, "a number is no text that could hold a credential"


@pytest.mark.parametrize(
    "image", ["https://x.org/\x00.jpg", "https://x.org/\u202egpj", "http://" + "a" * 2_000, 5, [1]]
)
def test_whatever_is_wrong_with_the_photo_never_costs_the_food(image: Any) -> None:
    record = parse_food(food(1, image=image), "edamam")
    assert isinstance(record, Product)
    assert record.image_url is None


def test_an_answer_without_foods_is_an_empty_day(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    api.on_call(PARSER_PATH, Parser(api, []))
    assert fetch_and_read(landing, connection, http) == []


@pytest.mark.parametrize("answer", [[], {}, {"hints": "none"}, "x", None])
def test_an_answer_of_another_shape_is_an_error(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient, answer: Any
) -> None:
    api.on(PARSER_PATH, as_json(answer))
    with pytest.raises(SourceError, match="no list `hints`"):
        Edamam().fetch(DAY, landing, connection, http)


@pytest.mark.parametrize(
    ("credentials", "named"),
    [({}, "CUVEE_EDAMAM_APP_ID and CUVEE_EDAMAM_APP_KEY"), ({"app_id": "x"}, "set CUVEE_EDAMAM_APP_KEY,")],
)
def test_missing_credentials_say_which_setting_and_connection(
    api: ApiServer, landing: Landing, http: HttpClient, credentials: dict[str, str], named: str
) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        Edamam().fetch(DAY, landing, SourceConnection(api.url, **credentials), http)
    assert "connection `edamam`" in str(caught.value)
    assert api.requests == []


def test_wrong_credentials_are_not_tried_again(api: ApiServer, landing: Landing, http: HttpClient) -> None:
    api.on_call(PARSER_PATH, Parser(api, [food(1)]))
    wrong = SourceConnection(api.url, app_id="x", app_key="wrong-key-of-some-length")
    with pytest.raises(SourceError, match="credentials are missing or wrong") as caught:
        Edamam().fetch(DAY, landing, wrong, http)
    assert "wrong-key" not in str(caught.value)
    assert len(api.requests) == 1


def test_foods_that_cannot_be_read_are_set_aside(
    api: ApiServer, landing: Landing, connection: SourceConnection, http: HttpClient
) -> None:
    foods = [
        food(1, foodId=None),
        food(2, label=" "),
        food(3, brand=["Mumm"]),
        food(4, foodId="food 4; drop"),
        food(5, label="Milk", foodId=None),
        food(6, label="Milk"),
        food(7),
    ]
    api.on_call(PARSER_PATH, Parser(api, [*foods[:1], None, *foods[1:]]))
    foods[1]["knownAs"] = "champagne"
    records = fetch_and_read(landing, connection, http)
    outcome = [record.reasons if isinstance(record, Rejection) else record.native_id for record in records]
    assert outcome == [("no_id",), ("no_name",), ("wrong_type",), ("code_damaged",), "food_7"]
    positions = [record.position for record in records if isinstance(record, Rejection)]
    assert len(set(positions)) == len(positions)


def test_a_food_that_only_parsed_names_is_read(landing: Landing) -> None:
    page = {"hints": [{"food": food(1)}], "parsed": [{"food": food(1)}, {"food": food(2)}], "_links": {}}
    landing.write_json_lines("page-00001.json.gz", [page])
    landing.complete({})
    assert [record.native_id for record in Edamam().read(DAY, landing)] == ["food_1", "food_2"]


def test_the_real_answer_is_read(shared_data: Path, landing: Landing) -> None:
    page = json.loads((shared_data / "edamam" / "parser_champagne.json").read_text())
    landing.write_json_lines("page-00001.json.gz", [page])
    landing.complete({})
    records = list(Edamam().read(DAY, landing))
    products = [record for record in records if isinstance(record, Product)]
    assert len(records) == len(products) == 20
    assert products[0] == Product(
        source="edamam",
        native_id="food_a656mk2a5dmqb2adiamu6beihduu",
        name="Champagne",
        description="dry white wine",
        language="en",
        source_category="Generic foods",
        image_url="https://www.edamam.com/food-img/a71/a718cf3c52add522128929f1f324d2ab.jpg",
    )
    assert products[1].brand == "SoFine Food"
    assert products[1].description is None, "knownAs only repeats the label in capitals"
    assert sum(product.brand is not None for product in products) == 8
    assert sum(product.image_url is not None for product in products) == 4


def test_taking_credentials_out_changes_nothing_else(shared_data: Path) -> None:
    page = json.loads((shared_data / "edamam" / "parser_champagne.json").read_text())
    connection = SourceConnection("https://api.edamam.com", app_id=APP_ID, app_key=APP_KEY)
    cleaned = without_credentials(copy.deepcopy(page), connection)
    address = "https://api.edamam.com/api/food-database/v2/parser"
    assert cleaned.pop("_links") == {"next": {"title": "Next page", "href": f"{address}?session=40&ingr=champagne"}}
    page.pop("_links")
    assert cleaned == page


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FOOD = st.dictionaries(
    st.sampled_from(["foodId", "label", "knownAs", "brand", "category", "foodContentsLabel", "image"]), JSON, max_size=7
)


@UNHURRIED
@given(JSON | FOOD, st.booleans())
def test_any_json_becomes_a_product_or_a_rejection_that_parquet_can_hold(payload: Any, complete: bool) -> None:
    if complete and isinstance(payload, dict):
        payload = payload | {"foodId": "food_1", "label": "x"}
    record = parse_food(payload, "edamam", "page:1")
    pa.Table.from_pylist([record.to_row()], schema=PRODUCTS if isinstance(record, Product) else QUARANTINE)


@UNHURRIED
@given(
    st.dictionaries(
        st.sampled_from(["parsed", "_links", "text"]), JSON | st.lists(st.fixed_dictionaries({"food": FOOD}))
    ),
    st.lists(JSON | st.fixed_dictionaries({"food": FOOD})),
)
def test_no_landed_page_stops_the_batch(
    tmp_path_factory: pytest.TempPathFactory, page: dict[str, Any], hints: list[Any]
) -> None:
    landing = Landing(Lake(str(tmp_path_factory.mktemp("lake"))), Batch("edamam", DAY))
    landing.write_json_lines("page-00001.json.gz", [page | {"hints": hints}])
    landing.complete({})
    list(Edamam().read(DAY, landing))
