"""What Open Food Facts serves: searches, products, delta files and photos, in its shapes.

Kept as in the field: `page_count` counts the items of this page, `page_size` is capped at 100, `fields`
wants raw commas, a page past the end is an empty list, a missing product is 404 with `status: 0` in v2
and 200 with `status: 0` in v0, and **v2 search knows filters but no full text**: `search_terms` works on
`/cgi/search.pl` only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from include.plain_words import plain_words
from include.sandbox.catalogue import FoodCatalogue, Record, host_of, with_host
from include.sandbox.delta import delta_file, full_dump, windows
from include.sandbox.faults import LIST_FAULTS, Faults
from include.sandbox.photo_faults import serve_photo
from include.sandbox.record_faults import spoil_products

PAGE_SIZE = 24
LARGEST_PAGE = 100
LATE_ARRIVALS = 5
"""Products that a moving list gains, one with every request."""
_SEARCHED_KEYS = ("product_name", "generic_name", "brands", "categories", "ingredients_text")
_SEARCH_PAGE = (
    "<!DOCTYPE html>\n<html><body><form action='/cgi/search.pl'><input name='search_terms'></form></body></html>"
)


class ProductIndex:
    """The newest state of every product of a catalogue, for searches and reads by code."""

    def __init__(self, catalogue: FoodCatalogue) -> None:
        """Index lazily: nothing is read before the first search."""
        self._catalogue = catalogue

    @cached_property
    def products(self) -> dict[str, Record]:
        """Products by code, newest last; records without a code of digits have no page at the source."""
        newest: dict[str, Record] = {}
        for dated in self._catalogue.records():
            code = dated.record.get("code")
            if isinstance(code, str) and code.isdigit():
                newest.pop(code, None)
                newest[code] = dated.record
        return newest

    @cached_property
    def _words(self) -> dict[str, set[str]]:
        return {code: _keywords(product) for code, product in self.products.items()}

    def product(self, code: str) -> Record | None:
        """A product by its code, with or without leading zeros."""
        for candidate in (code, code.zfill(13), code.lstrip("0").zfill(8)):
            if candidate in self.products:
                return self.products[candidate]
        return None

    def search(self, terms: str = "", tags: Sequence[str] = ()) -> list[Record]:
        """Products that hold all words of `terms` and, for each of `tags`, that tag.

        A tag is `en:champagnes` or `Champagnes`; `a|b` means either.
        """
        words = {_singular(word) for word in plain_words(terms).split()}
        return [
            product
            for code, product in self.products.items()
            if words <= self._words[code] and all(_has_tag(product, alternatives) for alternatives in tags)
        ]


def _keywords(product: Record) -> set[str]:
    texts = (product.get(key) for key in _SEARCHED_KEYS)
    words = plain_words(" ".join(text for text in texts if isinstance(text, str))).split()
    return {_singular(word) for word in words}


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _has_tag(product: Record, alternatives: str) -> bool:
    tags = product.get("categories_tags")
    known = {tag for tag in tags if isinstance(tag, str)} if isinstance(tags, list) else set()
    bare = {tag.split(":", 1)[-1] for tag in known}
    wanted = [name.strip().lower().replace(" ", "-") for name in alternatives.split("|")]
    return any(name in known or name in bare for name in wanted)


def _sorted(products: list[Record], sort_by: str) -> list[Record]:
    if sort_by in ("last_modified_t", "created_t", "unique_scans_n", "popularity_key"):
        newest_first: Callable[[Record], Any] = lambda product: _number(product.get(sort_by))  # noqa: E731
        return sorted(products, key=newest_first, reverse=True)
    if sort_by == "product_name":
        return sorted(products, key=lambda product: str(product.get("product_name", "")).casefold())
    return products


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and int(text) > 0 else default


def _wanted_fields(request: Request) -> list[str] | None:
    """Names in `fields`; only raw commas separate, so that `a%2Cb` is one name that no product has."""
    for part in request.url.query.split("&"):
        key, _, value = part.partition("=")
        if key == "fields" and value and value != "all":
            return value.split(",")
    return None


def _select(product: Record, wanted: Iterable[str] | None) -> Record:
    return product if wanted is None else {key: product[key] for key in wanted if key in product}


def openfoodfacts_routes(catalogue: FoodCatalogue, faults: Faults) -> APIRouter:
    """The routes of the food API; photo URLs start with the address that was asked."""
    routes = APIRouter()
    index = ProductIndex(catalogue)

    def answer_search(request: Request, found: list[Record]) -> JSONResponse:
        parameters, path = request.query_params, request.url.path
        size = min(_integer(parameters.get("page_size"), PAGE_SIZE), LARGEST_PAGE)
        page = _integer(parameters.get("page"), 1)
        found = _sorted(found, parameters.get("sort_by", ""))
        active = {fault.name: number for fault, number in faults.of_content(path, LIST_FAULTS)}
        if "moving_list" in active:
            found = found[max(0, min(LATE_ARRIVALS, len(found) - 1) - (active["moving_list"] - 1)) :]
        count: int | str = str(len(found)) if "string_count" in active else len(found)
        shown = found[(page - 1) * size : page * size]
        products = spoil_products([with_host(product, host_of(request)) for product in shown], faults, path)
        wanted = _wanted_fields(request)
        return JSONResponse(
            {
                "count": count,
                "page": page,
                "page_count": len(shown),
                "page_size": size,
                "products": [_select(product, wanted) for product in products],
                "skip": (page - 1) * size,
            }
        )

    @routes.get("/api/v2/search")
    def search(request: Request) -> Response:
        filters = [
            name
            for key, value in request.query_params.multi_items()
            if key in ("categories_tags", "categories_tags_en", "categories_tags_fr")
            for name in value.split(",")
            if name.strip()
        ]
        return answer_search(request, index.search(tags=filters))

    @routes.get("/cgi/search.pl")
    def search_text(request: Request) -> Response:
        parameters = request.query_params
        if parameters.get("json") not in ("1", "true"):
            return HTMLResponse(_SEARCH_PAGE)
        tags = [
            parameters.get(key.replace("tagtype", "tag"), "")
            for key, value in parameters.items()
            if key.startswith("tagtype_") and value == "categories"
        ]
        return answer_search(request, index.search(parameters.get("search_terms", ""), [tag for tag in tags if tag]))

    def answer_product(request: Request, code: str, missing_status: int) -> JSONResponse:
        if not code.isdigit():
            return JSONResponse({"code": "", "status": 0, "status_verbose": "no code or invalid code"})
        product = index.product(code)
        if product is None:
            body = {"code": code, "status": 0, "status_verbose": "product not found"}
            return JSONResponse(body, status_code=missing_status)
        spoiled = spoil_products([with_host(product, host_of(request))], faults, request.url.path)[0]
        selected = _select(spoiled, _wanted_fields(request))
        return JSONResponse({"code": code, "product": selected, "status": 1, "status_verbose": "product found"})

    @routes.get("/api/v2/product/{code}")
    def product(request: Request, code: str) -> Response:
        return answer_product(request, code.removesuffix(".json"), 404)

    @routes.get("/api/v0/product/{code}")
    def product_v0(request: Request, code: str) -> Response:
        return answer_product(request, code.removesuffix(".json"), 200)

    files = {window.name: window for window in windows(catalogue)}

    @routes.api_route("/data/openfoodfacts-products.jsonl.gz", methods=["GET", "HEAD"])
    def dump(request: Request) -> Response:
        return Response(full_dump(index.products.values(), host_of(request)), media_type="application/octet-stream")

    @routes.api_route("/data/delta/index.txt", methods=["GET", "HEAD"])
    def delta_index() -> Response:
        return PlainTextResponse("".join(f"{name}\n" for name in files))

    @routes.api_route("/data/delta/{name}", methods=["GET", "HEAD"])
    def delta(request: Request, name: str) -> Response:
        if name not in files:
            return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", status_code=404)
        content = delta_file(catalogue, files[name], host_of(request), faults)
        return Response(content, media_type="application/octet-stream")

    @routes.api_route("/images/{rest:path}", methods=["GET", "HEAD"])
    @routes.api_route("/food-img/{rest:path}", methods=["GET", "HEAD"])
    def photo(request: Request, rest: str) -> Response:
        path = request.url.path
        served = serve_photo(catalogue.photo(path), path, faults)
        if served is None:
            return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", status_code=404)
        return Response(served[0], media_type=served[1])

    return routes
