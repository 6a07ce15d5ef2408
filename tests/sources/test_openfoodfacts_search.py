from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.errors import SourceError
from include.schema import Product, Rejection
from include.sources.connection import SourceConnection
from include.sources.http import HttpClient
from include.sources.openfoodfacts_search import OpenFoodFactsSearch
from tests.sources.api_server import Answer, ApiServer, Request, as_json, html

SEARCH = "/api/v2/search"


def record(code: int) -> dict[str, Any]:
    return {"code": f"{code:08d}", "product_name": f"Champagne {code}"}


@pytest.fixture
def search(api: ApiServer, http: HttpClient) -> OpenFoodFactsSearch:
    return OpenFoodFactsSearch(SourceConnection(api.url, allow_private_hosts=True), http, page_size=3)


class Listing:
    """A list of products served by pages, which something may change before each page."""

    def __init__(self, codes: list[int], before_page: Callable[[Listing, int], None] | None = None) -> None:
        self.codes = codes
        self._before_page = before_page
        self.served = 0
        self.count: Callable[[int], Any] = lambda number: number

    def __call__(self, request: Request) -> Answer:
        self.served += 1
        if self._before_page:
            self._before_page(self, self.served)
        page, size = int(request.query["page"]), int(request.query["page_size"])
        shown = self.codes[(page - 1) * size : page * size]
        return as_json(
            {
                "count": self.count(len(self.codes)),
                "page": page,
                "page_count": len(shown),
                "page_size": size,
                "products": [record(code) for code in shown],
            }
        )


def found(search: OpenFoodFactsSearch) -> list[str | None]:
    return [found.native_id for found in search.search({"categories_tags": "en:champagnes"})]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 6, 7])
def test_every_page_is_read_and_nothing_past_the_end(api: ApiServer, search: OpenFoodFactsSearch, number: int) -> None:
    listing = Listing(list(range(number)))
    api.on_call(SEARCH, listing)
    assert found(search) == [record(code)["code"] for code in range(number)]
    pages = max(1, math.ceil(number / 3))
    assert max(int(request.query["page"]) for request in api.requests) == pages
    assert listing.served == (pages if pages == 1 else pages + 1), "the first page is looked at once more"


@pytest.mark.parametrize("count", [b"1e999", b"-1e999", b"1" * 5_000, b"-0.0"])
def test_a_count_that_overflows_is_none(api: ApiServer, search: OpenFoodFactsSearch, count: bytes) -> None:
    listing = Listing(list(range(7)))
    listing.count = lambda _count: "count"
    api.on_call(SEARCH, lambda request: replaced(listing(request), b'"count": "count"', b'"count": ' + count))
    assert len(found(search)) == 7


def replaced(answer: Answer, old: bytes, new: bytes) -> Answer:
    assert old in answer.body
    return dataclasses.replace(answer, body=answer.body.replace(old, new))


@pytest.mark.parametrize(
    "shape",
    [
        str,
        lambda _count: None,
        lambda _count: "many",
        lambda count: count * 100,
        lambda _count: 10**400,
        lambda _count: "9" * 5_000,
        lambda _count: -1,
        lambda _count: [[]],
    ],
)
def test_the_count_may_be_text_or_useless(
    api: ApiServer, search: OpenFoodFactsSearch, shape: Callable[[int], Any]
) -> None:
    listing = Listing(list(range(7)))
    listing.count = shape
    api.on_call(SEARCH, listing)
    assert len(found(search)) == 7


def test_fields_are_asked_for_with_raw_commas(api: ApiServer, search: OpenFoodFactsSearch) -> None:
    api.on_call(SEARCH, Listing([1]))
    found(search)
    assert "fields=code,schema_version," in api.requests[0].raw_query
    assert "image_front_url" in api.requests[0].query["fields"].split(",")


def test_products_edited_while_paging_are_neither_lost_nor_doubled(api: ApiServer, search: OpenFoodFactsSearch) -> None:
    def edit_the_last(listing: Listing, served: int) -> None:
        if served in (2, 3):
            listing.codes.insert(0, listing.codes.pop())

    api.on_call(SEARCH, Listing(list(range(10)), edit_the_last))
    codes = found(search)
    assert sorted(map(str, codes)) == [record(code)["code"] for code in range(10)]


def test_products_that_leave_while_paging_do_not_hide_others(api: ApiServer, search: OpenFoodFactsSearch) -> None:
    def remove_the_first(listing: Listing, served: int) -> None:
        if served == 2:
            del listing.codes[0]

    api.on_call(SEARCH, Listing(list(range(9)), remove_the_first))
    codes = found(search)
    assert sorted(map(str, codes)) == [record(code)["code"] for code in range(9)]


def test_an_html_error_page_in_the_middle_is_asked_for_again(api: ApiServer, search: OpenFoodFactsSearch) -> None:
    listing = Listing(list(range(5)))
    asked: list[int] = []

    def stumble(request: Request) -> Answer:
        asked.append(int(request.query["page"]))
        return html(503) if asked.count(2) == 1 and asked[-1] == 2 else listing(request)

    api.on_call(SEARCH, stumble)
    assert len(found(search)) == 5


@pytest.mark.parametrize("answer", [[], {}, {"products": {}}, {"products": None}, "x"])
def test_an_answer_of_another_shape_is_an_error(api: ApiServer, search: OpenFoodFactsSearch, answer: Any) -> None:
    api.on(SEARCH, as_json(answer))
    with pytest.raises(SourceError, match="no list `products`"):
        found(search)


def test_bad_records_are_set_aside_and_the_rest_goes_on(api: ApiServer, search: OpenFoodFactsSearch) -> None:
    listed = [record(1), None, {"code": "3.00E+12", "product_name": "x"}, {"code": "5"}, record(2)]
    api.on(SEARCH, as_json({"count": 3, "products": listed}))
    outcome = [r.reasons if isinstance(r, Rejection) else r.native_id for r in search.search({})]
    assert outcome == ["00000001", ("wrong_type",), ("code_damaged",), ("no_name",), "00000002"]


def test_the_old_search_for_words_is_read_too(api: ApiServer, search: OpenFoodFactsSearch, shared_data: Path) -> None:
    real = json.loads((shared_data / "openfoodfacts" / "raw_json" / "cgi_search_champagne.json").read_text())
    api.on("/cgi/search.pl", as_json(real | {"count": "3"}))
    records = list(search.search_text("champagne rosé"))
    assert api.requests[0].query["search_terms"] == "champagne rosé"
    assert api.requests[0].query["json"] == "1"
    assert [r.native_id for r in records] == [p["code"] for p in real["products"]]


def test_one_product_is_read_by_its_code(api: ApiServer, search: OpenFoodFactsSearch) -> None:
    api.on("/api/v2/product/00000007", as_json({"code": "00000007", "status": 1, "product": record(7)}))
    product = search.product("00000007")
    assert isinstance(product, Product)
    assert product.name == "Champagne 7"


@pytest.mark.parametrize(
    "answer",
    [
        as_json({"code": "7", "status": 0, "status_verbose": "product not found"}, 404),
        as_json({"code": "7", "status": 0, "status_verbose": "product not found"}),
        as_json({"code": "7", "status": "0", "product": {}}),
    ],
)
def test_a_product_that_is_not_there_is_none(api: ApiServer, search: OpenFoodFactsSearch, answer: Answer) -> None:
    api.on("/api/v2/product/7", answer)
    assert search.product("7") is None


@pytest.mark.parametrize("code", ["", "abc", "../1", "7/8", "1" * 40, "7\n"])
def test_what_is_not_a_barcode_is_not_asked_for(api: ApiServer, search: OpenFoodFactsSearch, code: str) -> None:
    with pytest.raises(SourceError, match="not a barcode"):
        search.product(code)
    assert api.requests == []


@pytest.mark.parametrize("size", [0, 101])
def test_a_page_size_the_api_does_not_serve_is_refused(http: HttpClient, size: int) -> None:
    with pytest.raises(ValueError, match="page_size"):
        OpenFoodFactsSearch(SourceConnection("http://localhost"), http, page_size=size)
