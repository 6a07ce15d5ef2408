"""Open Food Facts on demand: small searches and single products. Scheduled work uses the delta files.

search = OpenFoodFactsSearch(connection, http)
for record in search.search({"categories_tags": "en:champagnes", "sort_by": "last_modified_t"}): ...
product = search.product("3018333000014")
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from include.errors import SourceError
from include.record_guard import RecordGuard
from include.schema import Product, Rejection, text_hash
from include.sources.json_text import to_json
from include.sources.openfoodfacts_record import parse_product
from include.sources.rate_limit import Budget

if TYPE_CHECKING:
    from include.sources.connection import SourceConnection
    from include.sources.http import HttpClient

logger = logging.getLogger(__name__)

SEARCH_PATH = "/api/v2/search"
TEXT_SEARCH_PATH = "/cgi/search.pl"
PRODUCT_PATH = "/api/v2/product"
MAX_PAGE_SIZE = 100
MAX_PAGES = 1_000

FIELDS = (
    "code,schema_version,lang,lc,url,product_name,product_name_fr,product_name_en,abbreviated_product_name,"
    "generic_name,generic_name_fr,generic_name_en,ingredients_text,ingredients_text_fr,ingredients_text_en,"
    "brands,brands_tags,quantity,categories,categories_tags,image_front_url,image_url,last_modified_t"
)


class OpenFoodFactsSearch:
    """The search and product API at the connection's `search_url`."""

    def __init__(self, connection: SourceConnection, http: HttpClient, page_size: int = MAX_PAGE_SIZE) -> None:
        if not 1 <= page_size <= MAX_PAGE_SIZE:
            raise ValueError(f"page_size is {page_size}; the API serves 1 to {MAX_PAGE_SIZE}")
        self._base_url = connection.search_url
        self._http = http
        self._page_size = page_size

    def search(self, filters: Mapping[str, str]) -> Iterator[Product | Rejection]:
        """All products that fit the filters of v2 search, each code once. Raises SourceError."""
        return self._records(SEARCH_PATH, {**filters, "fields": FIELDS})

    def search_text(self, words: str) -> Iterator[Product | Rejection]:
        """All products that a search for words finds (v2 search has no words), each code once. Raises SourceError."""
        return self._records(
            TEXT_SEARCH_PATH,
            {"search_terms": words, "search_simple": "1", "action": "process", "json": "1", "fields": FIELDS},
        )

    def product(self, code: str) -> Product | Rejection | None:
        """One product by its barcode, or None if the source does not have it. Raises SourceError."""
        if not re.fullmatch(r"[0-9]{1,32}", code):
            raise SourceError(f"{code!r} is not a barcode: digits only")
        answer = self._http.get_json(
            f"{self._base_url}{PRODUCT_PATH}/{code}", {"fields": FIELDS}, budget=Budget.PRODUCT, absent_ok=True
        )
        if not isinstance(answer, dict) or answer.get("status") in (0, "0") or not answer.get("product"):
            return None
        with RecordGuard("openfoodfacts") as guard:
            return next(guard.read_each([(f"product/{code}", answer["product"])], _parsed))

    def _records(self, path: str, params: Mapping[str, str]) -> Iterator[Product | Rejection]:
        with RecordGuard("openfoodfacts") as guard:
            yield from guard.read_each(self._payloads(path, params), _parsed)

    def _payloads(self, path: str, params: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
        """Position and record of every listed product, some more than once, while the list may move.

        A product that is edited moves to the top and pushes others down: they come again, and are dropped by
        their code. One that leaves the list pulls others up, over the page's edge: seen by the falling
        count, and the page before is read again. What moved to the top is found by reading from there
        again, until a page brings nothing new.
        """
        known: set[str] = set()
        last_count = math.inf
        number = 1
        while number <= MAX_PAGES:
            count, products = self._page(path, params, number)
            yield from self._new(known, products, number)
            if number > 1 and count < last_count:
                yield from self._new(known, self._page(path, params, number - 1)[1], number - 1)
            last_count = count
            if not products or number * self._page_size >= count:
                break
            number += 1
        for again in range(1, number):
            fresh = list(self._new(known, self._page(path, params, again)[1], again))
            yield from fresh
            if not fresh:
                break

    @staticmethod
    def _new(known: set[str], products: list[Any], number: int) -> Iterator[tuple[str, Any]]:
        for index, payload in enumerate(products, start=1):
            code = payload.get("code") if isinstance(payload, dict) else None
            has_code = isinstance(code, str | int) and code != ""
            key = f"code {code}" if has_code else f"record {text_hash(to_json(payload))}"
            if key not in known:
                known.add(key)
                yield f"page {number}:{index}", payload

    def _page(self, path: str, params: Mapping[str, str], number: int) -> tuple[float, list[Any]]:
        """Number of products found in all (infinite if the answer does not say) and the products of one page."""
        url = f"{self._base_url}{path}"
        answer = self._http.get_json(url, {**params, "page": number, "page_size": self._page_size})
        products = answer.get("products") if isinstance(answer, dict) else None
        if not isinstance(products, list):
            raise SourceError(
                f"{url}: the answer has no list `products`: this is not the search API of Open Food Facts"
            )
        return _count(answer.get("count")), products


def _parsed(payload: Any, position: str) -> Product | Rejection:
    return parse_product(payload, "openfoodfacts", position)


def _count(value: Any) -> float:
    """The number of products found in all, as number or text; infinite where it cannot be read."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,15}\s*", value):
        return float(value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15
    return float(value) if is_count else math.inf
