"""The search finds what `labelled_products` holds, in pages, with counts that are exact where they say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from include.plain_words import plain_words
from include.warehouse import product_counts, product_search
from include.warehouse.product_cursor import Cursor
from include.warehouse.product_details import read_product
from include.warehouse.product_filter import FACET_NAMES, ProductFilter, ProductQuery
from include.warehouse.product_search import Found, search_products
from include.warehouse.product_sql import sql_of
from include.warehouse.queries import run_sql
from include.warehouse.reading import read
from include.warehouse.reviews import record_review
from include.warehouse.search_index import changes_behind, note_change, refresh_search
from include.warehouse.tables import labelled_products
from tests.benchmarks.drawn_warehouse import draw_warehouse

PRODUCTS = 3_000


@pytest.fixture(scope="module")
def drawn(module_warehouse: Engine) -> Engine:
    """3,000 drawn products of two days, which the search has taken over."""
    draw_warehouse(module_warehouse, PRODUCTS)
    return module_warehouse


def search(engine: Engine, **query: Any) -> Found:
    names = ("sort", "cursor", "columns")
    asked = ProductQuery(
        ProductFilter(**{name: value for name, value in query.items() if name not in names}),
        **{name: query[name] for name in names if name in query},
    )
    with read(engine) as connection:
        return search_products(connection, asked)


def rows_of(engine: Engine, **values: Any) -> list[dict[str, Any]]:
    query = select(labelled_products).where(*(labelled_products.c[name] == value for name, value in values.items()))
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query.order_by(labelled_products.c.product_id)).mappings()]


def pages(engine: Engine, **query: Any) -> list[list[str]]:
    found = search(engine, **query)
    pages = [[row["product_id"] for row in found.rows]]
    while found.next:
        found = search(engine, **query, cursor=found.next)
        pages.append([row["product_id"] for row in found.rows])
    return pages


FILTERS: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
    ({}, lambda row: True),
    ({"values": {"label": ("vinegar",)}}, lambda row: row["label"] == "vinegar"),
    (
        {"values": {"label": ("vinegar", "juice"), "language": ("fr", "de")}},
        lambda row: row["label"] in ("vinegar", "juice") and row["language"] in ("fr", "de"),
    ),
    ({"values": {"decision": ("review",)}}, lambda row: row["decision"] == "review"),
    (
        {"values": {"flags": ("unfamiliar", "short_code")}},
        lambda row: bool({"unfamiliar", "short_code"} & set(row["flags"])),
    ),
    ({"values": {"department": ("Beauty and Personal Care", "Nothing")}}, lambda row: row["label"] == "beauty"),
    ({"values": {"label": ("nothing",)}}, lambda row: False),
    ({"day_from": date(2024, 1, 2)}, lambda row: row["last_seen_day"] >= date(2024, 1, 2)),
    (
        {"confidence_from": 0.5, "confidence_to": 0.9},
        lambda row: 0.5 <= row["confidence"] <= 0.9,
    ),
    ({"text": "vinaigre SUCRE "}, lambda row: {"vinaigre", "sucre"} <= words_of(row)),
    ({"text": "brut sucr"}, lambda row: "brut" in words_of(row) and any(w.startswith("sucr") for w in words_of(row))),
    (
        {"text": "Cremant", "values": {"language": ("fr",)}},
        lambda row: "cremant" in words_of(row) and row["language"] == "fr",
    ),
    ({"text": "¡!"}, lambda row: False),
]


def words_of(row: dict[str, Any]) -> set[str]:
    return set(plain_words(f"{row['name']} {row['brand']} {row['ingredients']}").split())


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_totals_facets_and_all_pages_are_what_the_filter_means(drawn: Engine, number: int) -> None:
    query, is_wanted = FILTERS[number]
    wanted = [row for row in rows_of(drawn) if is_wanted(row)]
    found = search(drawn, **query)
    assert (found.total.products, found.total.is_exact) == (len(wanted), True)
    for name in FACET_NAMES:
        values = Counter(value for row in wanted for value in (row["flags"] if name == "flags" else [row[name]]))
        assert {value: count.products for value, count in found.facets[name]} == values
        assert all(count.is_exact for _, count in found.facets[name])
    ids = [one for page in pages(drawn, **query) for one in page]
    assert len(ids) == len(wanted)
    assert set(ids) == {row["product_id"] for row in wanted}


@pytest.mark.parametrize("sort", ["newest", "oldest", "surest", "least_sure"])
@pytest.mark.parametrize("exact", [10_000, 100], ids=["few", "many"])
@pytest.mark.parametrize("sorted_rows", [20_000, 0], ids=["sorted", "by index"])
def test_pages_are_in_order_and_the_way_back_shows_the_same_pages(
    drawn: Engine, monkeypatch: pytest.MonkeyPatch, sort: Any, exact: int, sorted_rows: int
) -> None:
    monkeypatch.setattr(product_counts, "EXACT", exact)
    monkeypatch.setattr(product_counts, "SURELY_MANY", exact)
    monkeypatch.setattr(product_search, "SORTED_ROWS", sorted_rows)
    query = {"values": {"label": ("sparkling_wine",)}, "sort": sort, "columns": ("last_seen_day", "confidence")}
    forwards, found = [], search(drawn, **query)
    assert found.previous is None
    while True:
        forwards.append(found.rows)
        if found.next is None:
            break
        found = search(drawn, **query, cursor=found.next)
    assert len(forwards) > 5
    key = "last_seen_day" if sort in ("newest", "oldest") else "confidence"
    keys = [row[key] for page in forwards for row in page]
    assert keys == sorted(keys, reverse=sort in ("newest", "surest"))
    assert len({row["product_id"] for page in forwards for row in page}) == len(keys)
    backwards = [found.rows]
    while found.previous is not None:
        found = search(drawn, **query, cursor=found.previous)
        backwards.append(found.rows)
    assert [row["product_id"] for page in reversed(backwards) for row in page] == [
        row["product_id"] for page in forwards for row in page
    ]


@pytest.mark.parametrize("query", [{}, {"values": {"label": ("champagne",)}}, {"text": "champagne "}])
def test_of_many_products_the_numbers_are_estimates_and_say_so(
    drawn: Engine, monkeypatch: pytest.MonkeyPatch, query: dict[str, Any]
) -> None:
    truth = search(drawn, **query).total.products
    monkeypatch.setattr(product_counts, "EXACT", 500)
    monkeypatch.setattr(product_counts, "SURELY_MANY", 500)
    found = search(drawn, **query)
    assert not found.total.is_exact
    assert found.total.products == pytest.approx(truth, rel=0.35)
    assert not any(count.is_exact for counts in found.facets.values() for _, count in counts)
    assert sum(count.products for _, count in found.facets["source"]) == pytest.approx(truth, rel=0.4)
    assert len(found.rows) == 50


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60),
    st.sampled_from([*FACET_NAMES]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20),
)
@example("'; DROP TABLE labelled_products; --", "label", "\\'; DROP TABLE product_words; --")
@example("a & | ! <-> :* 'b' \\", "flags", '{"a",b}')
@example("%16 %(x)s :codes", "source", "%(x)s :codes %")
def test_no_text_and_no_value_breaks_the_search_or_its_sql(drawn: Engine, typed: str, facet: str, value: str) -> None:
    asked = ProductQuery(ProductFilter(text=typed, values={facet: (value,)}))
    with read(drawn) as connection:
        assert search_products(connection, asked).total.products == 0
        search_products(connection, ProductQuery(ProductFilter(text=typed)))
    assert run_sql(drawn, sql_of(asked))[1] == []


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_the_same_query_in_sql_finds_the_same_products(drawn: Engine, number: int) -> None:
    query, _ = FILTERS[number]
    found = search(drawn, **query, sort="surest", columns=("name", "confidence"))
    columns, rows = run_sql(
        drawn, sql_of(ProductQuery(ProductFilter(**query), "surest", columns=("name", "confidence"))), limit=50
    )
    assert columns == ["product_id", "name", "confidence"]
    assert [row[2] for row in rows] == [row["confidence"] for row in found.rows]


def test_a_review_a_change_and_a_removal_are_found_once_they_are_taken_over(drawn: Engine) -> None:
    one, other = (row["product_id"] for row in rows_of(drawn, label="vinegar", source="openfoodfacts")[:2])
    before = search(drawn, values={"label": ("vinegar",)}).total.products
    record_review(drawn, one, "juice", department="Fine Grocery", reviewer="Ada")
    with drawn.begin() as connection:
        connection.execute(
            text("UPDATE labelled_products SET name = 'Ωmega', content_hash = 'x' WHERE product_id = :id"), {"id": one}
        )
        day = connection.scalars(
            text("DELETE FROM labelled_products WHERE product_id = :id RETURNING last_seen_day"), {"id": other}
        ).one()
        note_change(connection, "openfoodfacts", day, day)
    stale = search(drawn, values={"label": ("vinegar",)})
    assert (stale.total.products, stale.behind) == (before, 2)
    assert changes_behind(drawn) == 2
    assert refresh_search(drawn) == 1
    assert refresh_search(drawn) == 0
    fresh = search(drawn, values={"label": ("vinegar",)})
    assert (fresh.total.products, fresh.behind) == (before - 2, 0)
    assert [row["product_id"] for row in search(drawn, text="ωme").rows] == [one]
    assert one in {row["product_id"] for row in search(drawn, values={"decided_by": ("human",)}).rows}


def test_a_product_that_comes_again_moves_to_its_new_day(drawn: Engine) -> None:
    (row,) = rows_of(drawn, last_seen_day=date(2024, 1, 1), label="spirit")[:1]
    day = date(2024, 3, 3)
    with drawn.begin() as connection:
        connection.execute(
            text("UPDATE labelled_products SET last_seen_day = :day WHERE product_id = :id"),
            {"day": day, "id": row["product_id"]},
        )
        note_change(connection, row["source"], day, day)
        # The day it came from is looked at as well: there it has not gone, but moved.
        note_change(connection, row["source"], row["last_seen_day"], row["last_seen_day"])
    refresh_search(drawn)
    assert [found["product_id"] for found in search(drawn, day_from=day).rows] == [row["product_id"]]


def test_a_product_is_told_with_its_history_reviews_and_trusted_labels(drawn: Engine) -> None:
    one = rows_of(drawn, label="dessert")[0]["product_id"]
    record_review(drawn, one, "biscuit", department="Fine Grocery", reviewer="Ada", comment="a cake")
    with read(drawn) as connection:
        found = read_product(connection, one)
        assert found is not None
        assert found.product["label"] == "biscuit"
        assert [row["label"] for row in found.history] == ["dessert"]
        assert [(row["reviewer"], row["previous_label"]) for row in found.reviews] == [("Ada", "dessert")]
        assert [(row["origin"], row["label"]) for row in found.trusted] == [("human", "biscuit")]
        for nobody in ("", "x", "\0", "'; --", "a" * 10_000, "\ud800"):
            assert read_product(connection, nobody) is None


def test_the_cursor_of_a_product_that_is_gone_still_names_its_place(drawn: Engine) -> None:
    found = search(drawn, sort="oldest", cursor=Cursor("oldest", date(2024, 1, 1), 2**31 - 1))
    assert {row["last_seen_day"] for row in found.rows} == {date(2024, 1, 2)}
