"""The page of labelled products: search, facets, ranges, order, columns; all of it in the address."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from include.pages.attributions import attributions
from include.pages.web import product_words
from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.data import CurrentData
from include.pages.web.host import Right
from include.pages.web.product_listing import address_of, amount, chosen_parts, facets_of, first_page
from include.pages.web.rendering import render
from include.quality.reasons import describe_flag
from include.warehouse.product_filter import ProductQuery
from include.warehouse.product_search import search_products
from include.warehouse.product_sql import sql_of
from include.warehouse.reading import read

router = router_for(Right.VIEW)

NEEDED = ("name", "source", "last_seen_day", "photo_status", "photo_sha256")
"""Columns that every page of the list needs, whichever it shows."""


@router.get("/products")
def products(request: Request, viewer: CurrentViewer, data: CurrentData) -> Response:
    """One page of the products that the address asks for."""
    asked, ignored = ProductQuery.parse(request.query_params.multi_items())
    with read(data.engine) as connection:
        wanted = replace(asked, columns=tuple(dict.fromkeys((*asked.columns, *NEEDED))))
        found = search_products(connection, wanted)
    return render(
        request,
        "products.html",
        viewer,
        section="products",
        asked=asked,
        ignored=ignored,
        found=found,
        address=first_page(asked),
        filter_address=address_of(asked.filter.pairs()),
        facets=facets_of(asked, found.facets),
        chosen=chosen_parts(asked),
        columns=[name for name in asked.columns if name in product_words.COLUMNS and name != "brand"],
        with_brand="brand" in asked.columns,
        sql=sql_of(asked),
        attributions=attributions({product["source"] for product in found.rows}),
        words=product_words,
        amount=amount,
        describe_flag=describe_flag,
    )
