"""The list of labelled products."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from include.pages.web.product_words import COLUMNS, SORTS
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse import product_search
from include.warehouse.queries import run_sql
from include.warehouse.reviews import record_review
from tests.pages.web.odd_products import NAMES, load_odd_products, product_id


@pytest.fixture(autouse=True)
def products(warehouse: Engine, warehouse_settings: Settings) -> None:
    load_odd_products(warehouse, Lake(warehouse_settings.lake_root))


def page(viewer: TestClient, query: str = "") -> str:
    answer = viewer.get(f"products{query}")
    assert answer.status_code == 200
    return answer.text


def shown(text: str) -> list[str]:
    """Ids of the products on a page, in order."""
    return re.findall(r'<td class="title"><a href="\./products/([^"]+)"', text)


def numbers(text: str) -> list[int]:
    return sorted(int(one.partition(":")[2]) - 3_000_000_000_000 for one in shown(text))


def test_every_product_is_listed_with_its_texts_escaped(viewer: TestClient) -> None:
    text = page(viewer, "?" + "&".join(f"column={name}" for name in COLUMNS))
    assert numbers(text) == list(range(len(NAMES)))
    for tag in ("<script>alert", "<img src=x", "<b>Maison", "<i>raisin"):
        assert tag not in text, tag
    assert "{{7*7}} vinaigre" in text
    assert "facture[U+202E]fdp.exe" in text
    assert "without a name" in text
    assert f"<strong>{len(NAMES)} products</strong>" in text


def test_the_address_is_escaped_where_the_page_repeats_it(viewer: TestClient) -> None:
    odd = '"><script>alert(2)</script>'
    answer = viewer.get("products", params={"text": odd, "label": odd, "sort": odd, "column": odd, "day_from": odd})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "A part of the address was left out" in answer.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?text=champagne", [0]),
        ("?text=vinaigre", [3]),
        ("?label=vinegar", [3]),
        ("?label=vinegar&label=champagne&decision=review", [0, 4]),
        ("?flags=check_digit_wrong", [2]),
        ("?photo_status=not_found", [1, 3, 5, 7]),
        ("?confidence_to=0.6", [0, 4]),
        ("?confidence_from=0.6&modality=fusion", [2, 6]),
        ("?day_from=2026-01-06", []),
        ("?day_to=2026-01-04", []),
        ("?day_from=2026-01-05&day_to=2026-01-05&source=openfoodfacts&language=fr", list(range(8))),
        ("?model_version=2", []),
        ("?department=Watches", []),
    ],
)
def test_the_list_shows_what_the_address_asks_for(viewer: TestClient, query: str, found: list[int]) -> None:
    text = page(viewer, query)
    assert numbers(text) == found
    assert ("No product is like this" in text) == (not found)


def test_odd_addresses_never_raise(viewer: TestClient) -> None:
    for query in (
        "?at=nonsense",
        "?at=%00",
        "?text=%00",
        "?text=" + "a%20" * 3000,
        "?text=%27%20%26%20%7C%20%21%28%3A%2A",
        "?label=%FF",
        "?confidence_from=1e999&confidence_to=-inf",
        "?day_from=9999-12-31&day_to=0001-01-01",
        "?sort=&column=&text=",
        "?unknown=1&unknown=2",
    ):
        assert viewer.get(f"products{query}").status_code == 200, query


def test_a_facet_leads_to_the_list_with_its_value_chosen_and_back(viewer: TestClient) -> None:
    text = page(viewer, "?decision=review")
    link = re.search(r'<li><a href="([^"]*label=champagne[^"]*)"><span class="what"><bdi>Champagne', text)
    assert link
    address = unescape(link[1])
    assert parse_qs(urlsplit(address).query) == {"decision": ["review"], "label": ["champagne"]}
    chosen = viewer.get(address).text
    assert numbers(chosen) == [0, 4]
    back = re.search(r'<li><a href="([^"]*)" aria-current="true"><span class="what">[^\n]*Champagne', chosen)
    assert back
    assert parse_qs(urlsplit(unescape(back[1])).query) == {"decision": ["review"]}


def test_counts_of_facets_are_of_the_products_that_a_choice_would_show(viewer: TestClient) -> None:
    text = page(viewer, "?decision=review")
    counts = re.findall(r"<bdi>([^<]+)</bdi></span> <span class=\"amount\">([\d,]+)<", text)
    assert ("for review", "2") in counts
    assert ("Champagne", "2") in counts
    assert ("text and photo", "2") in counts
    assert "accepted" not in dict(counts)


def test_pages_of_the_list_hold_every_product_once(viewer: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_search, "PAGE_ROWS", 3)
    for sort in SORTS:
        address, seen = f"products?sort={sort}", []
        for _ in range(10):
            text = viewer.get(address).text
            seen += shown(text)
            following = re.search(r'rel="next" href="([^"]+)"', text)
            if not following:
                break
            address = unescape(following[1])
        assert sorted(seen) == [product_id(number) for number in range(len(NAMES))], sort


def test_columns_are_those_that_were_chosen(viewer: TestClient) -> None:
    text = page(viewer, "?column=language&column=name")
    assert re.findall(r'<th scope="col"[^>]*>([^<]+)', text) == ["Photo", "Product", "Language"]
    assert re.findall(r'type="checkbox" name="column" value="(\w+)" checked', text) == ["language"]


def test_photos_come_from_us_and_the_others_say_why(viewer: TestClient) -> None:
    text = page(viewer)
    addresses = re.findall(r'<img[^>]* src="([^"]*)', text)
    assert len(addresses) == 4
    assert all(address.startswith("./photos/openfoodfacts:") for address in addresses)
    assert text.count('aria-label="The source no longer has the photo."') == 4


def test_whose_data_is_shown_is_said_and_only_then(viewer: TestClient) -> None:
    assert "Open Food Facts contributors, ODbL 1.0; photos CC BY-SA 3.0" in page(viewer)
    assert "Open Food Facts contributors" not in page(viewer, "?model_version=2")


def test_a_filter_can_be_exported_and_written_as_sql(viewer: TestClient) -> None:
    text = page(viewer, "?label=vinegar&sort=&column=name")
    assert 'href="./exports/products.csv?label=vinegar"' in text
    assert 'href="./exports/products.parquet?label=vinegar"' in text
    assert re.search(r"<pre[^>]*>(?i:select).*labelled_products.*vinegar", text, re.DOTALL)


@pytest.mark.parametrize(
    "query", ["?text=cuv&source=openfoodfacts", "?text=%27%20OR%20true%20--", "?label=%27%3B%20DROP%20TABLE%20batches"]
)
def test_the_sql_of_a_page_finds_the_same_products_and_does_nothing_else(
    viewer: TestClient, warehouse: Engine, query: str
) -> None:
    text = page(viewer, query)
    statement = re.search(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)
    assert statement
    columns, rows = run_sql(warehouse, unescape(statement[1]))
    place = columns.index("product_id")
    assert {row[place] for row in rows} == set(shown(text))


def test_changes_that_the_search_has_not_taken_over_are_announced(viewer: TestClient, warehouse: Engine) -> None:
    assert "on their way into the search" not in page(viewer)
    record_review(warehouse, product_id(3), "biscuit", department="Fine Grocery", reviewer="jeanne")
    assert "on their way into the search" in page(viewer)


def test_an_empty_warehouse_says_what_to_do(viewer: TestClient, warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("TRUNCATE labelled_products, product_words, product_facets")
    assert "No product has been labelled yet" in page(viewer)
