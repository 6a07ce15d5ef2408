"""The products of a filter as SQL on `labelled_products`: for exports, and for people to take along."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, bindparam, cast, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import TSQUERY

from include.warehouse.product_cursor import DESCENDING, KEYS, Sort
from include.warehouse.product_filter import ProductFilter, ProductQuery
from include.warehouse.search_tables import FACETS, product_words
from include.warehouse.search_words import words_query
from include.warehouse.tables import labelled_products

SHOWN_ROWS = 1_000
"""LIMIT of the SQL that people are shown."""


def products_select(wanted: ProductFilter, columns: tuple[str, ...]) -> Select:
    """`product_id` and the columns of the products that a filter wants, in no order."""
    products = labelled_products.c
    names = ["product_id", *(name for name in columns if name != "product_id")]
    query = select(*(products[name] for name in names)).where(*_conditions(wanted))
    words = words_query(wanted.text)
    if words:
        found = select(product_words.c.product_id).where(
            product_words.c.words.bool_op("@@")(cast(bindparam("words", words), TSQUERY))
        )
        query = query.where(products.product_id.in_(found))
    elif wanted.text.strip():
        query = query.where(products.product_id == "")  # no word in it, so no product
    return query


def ordered(query: Select, sort: Sort) -> Select:
    """The products in an order, as the search has it but for those alike in it."""
    column = labelled_products.c["last_seen_day" if KEYS[sort] == "day" else "confidence"]
    last = labelled_products.c.product_id
    return query.order_by(column.desc(), last.desc()) if sort in DESCENDING else query.order_by(column, last)


def sql_of(asked: ProductQuery) -> str:
    """The query in SQL that `python -m include sql` runs, its values quoted, for at most 1,000 products.

    It asks `labelled_products` itself, which may take seconds, and counts nothing.
    """
    query = ordered(products_select(asked.filter, asked.columns), asked.sort).limit(SHOWN_ROWS)
    dialect = postgresql.dialect(paramstyle="named")
    dialect._backslash_escapes = False  # as it sets it itself when it is connected: the standard's way of quoting
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _conditions(wanted: ProductFilter) -> list[ColumnElement[bool]]:
    products = labelled_products.c
    conditions: list[ColumnElement[bool]] = [
        products[name].in_(wanted.values[name]) for name in FACETS if name in wanted.values
    ]
    if "flags" in wanted.values:
        conditions.append(products.flags.overlap(postgresql.array(wanted.values["flags"])))
    if wanted.day_from is not None:
        conditions.append(products.last_seen_day >= wanted.day_from)
    if wanted.day_to is not None:
        conditions.append(products.last_seen_day <= wanted.day_to)
    if wanted.confidence_from is not None:
        conditions.append(products.confidence >= cast(wanted.confidence_from, products.confidence.type))
    if wanted.confidence_to is not None:
        conditions.append(products.confidence <= cast(wanted.confidence_to, products.confidence.type))
    return conditions
