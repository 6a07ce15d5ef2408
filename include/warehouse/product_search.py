"""The search of labelled products: a page of them, how many there are, and how they divide by each facet.

    with read(engine) as connection:
        found = search_products(connection, asked)

Up to 10,000 products are all looked at, and every number is exact. Of more the page is found by an index, and the
numbers are estimates from a sample, and called so: the work does not grow with the warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text

from include.warehouse.product_conditions import Conditions, Place, conditions_of
from include.warehouse.product_counts import NOTHING, PAGE_ROWS, Count, Facets, count_products
from include.warehouse.product_cursor import Cursor
from include.warehouse.product_filter import ProductQuery
from include.warehouse.search_tables import product_facets, product_words, search_changes
from include.warehouse.tables import labelled_products

SORTED_ROWS = 20_000
"""Up to so many products are sorted; of more the next ones stand near the beginning of an index."""


@dataclass(frozen=True)
class Found:
    """A page of products."""

    rows: list[dict[str, Any]]
    """`product_id` and the columns asked for, of each product, in order."""
    total: Count
    facets: Facets
    next: Cursor | None
    """For the page after this one; None on the last."""
    previous: Cursor | None
    """For the page before this one; None on the first."""
    behind: int
    """Changes of `labelled_products` that the search has not taken over yet: see `search_index`."""


def search_products(connection: Connection, asked: ProductQuery) -> Found:
    """The page of at most 50 products that a query asks for."""
    behind = connection.scalars(select(func.count()).select_from(search_changes)).one()
    conditions = conditions_of(connection, asked.filter)
    place = Place.of(asked.sort, asked.cursor)
    counted = NOTHING if conditions.is_impossible else count_products(connection, conditions, place)
    numbers = counted.page
    if numbers is None:
        numbers = _numbers(connection, conditions, place, counted.total.products)
    has_more = len(numbers) > PAGE_ROWS
    numbers = numbers[:PAGE_ROWS]
    is_backwards = asked.cursor is not None and asked.cursor.backwards
    if is_backwards:
        numbers.reverse()
    keys, rows = _products(connection, numbers, place.key, asked.columns)
    first, last = (Cursor(asked.sort, keys[at], at) for at in (numbers[0], numbers[-1])) if numbers else (None, None)
    has_next, has_previous = (True, has_more) if is_backwards else (has_more, asked.cursor is not None)
    return Found(
        rows=rows,
        total=counted.total,
        facets=counted.facets,
        next=last if has_next else None,
        previous=Cursor(first.sort, first.key, first.number, backwards=True) if first and has_previous else None,
        behind=behind,
    )


def _numbers(connection: Connection, conditions: Conditions, place: Place, expected: int) -> list[int]:
    """The page's products, and one more, where there are many."""
    page = f"ORDER BY {place.order} LIMIT {PAGE_ROWS + 1}"
    rows = conditions.rows(f"number, {place.key}", extra=place.after)
    if expected <= SORTED_ROWS and not conditions.has_text:
        # The products may all be at the other end of the index.
        statement = f"WITH matched AS MATERIALIZED ({rows}) SELECT number FROM matched {page}"  # noqa: S608
    else:
        statement = f"{rows} {page}"
    return list(connection.scalars(text(statement), conditions.values | place.values))


def _products(
    connection: Connection, numbers: list[int], key: str, columns: tuple[str, ...]
) -> tuple[dict[int, Any], list[dict[str, Any]]]:
    """Number to what it is sorted by, and the products as they are now; those that went meanwhile are left out."""
    if not numbers:
        return {}, []
    facets, words, products = product_facets.c, product_words.c, labelled_products.c
    wanted = ["product_id", *(name for name in columns if name != "product_id")]
    query = (
        select(facets.number, facets[key].label("sorted_by"), *(products[name] for name in wanted))
        .join_from(product_facets, product_words, words.number == facets.number)
        .outerjoin(labelled_products, products.product_id == words.product_id)
        .where(facets.number.in_(numbers))
    )
    found = {row["number"]: row for row in connection.execute(query).mappings()}
    rows = [{name: found[number][name] for name in wanted} for number in numbers if found[number]["product_id"]]
    return {number: row["sorted_by"] for number, row in found.items()}, rows
