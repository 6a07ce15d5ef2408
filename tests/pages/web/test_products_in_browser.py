"""Whether everybody can use the pages of products, and what a browser makes of names that mean harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import Engine

from include.settings import Settings
from include.storage.lake import Lake
from tests.pages.web.odd_products import NAMES, load_odd_products, product_id

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def products(warehouse: Engine, warehouse_settings: Settings) -> None:
    load_odd_products(warehouse, Lake(warehouse_settings.lake_root))


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_nobody_is_kept_out_and_no_page_is_wider_than_its_window(
    open_page: Callable[..., Page], width: int, scheme: str
) -> None:
    addresses = (
        "products",
        "products?text=nothing&sort=bogus",
        f"products/{product_id(0)}",
        f"products/{product_id(1)}",
    )
    for address in addresses:
        page = open_page(address, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        faults = [
            (fault["id"], fault["nodes"][0]["html"])
            for fault in Axe().run(page).response["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert faults == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_names_that_mean_harm_are_read_and_not_run(open_page: Callable[..., Page]) -> None:
    page = open_page("products")
    names = page.locator("td.title a").all_inner_texts()
    assert {name for name in NAMES if name and "\u202e" not in name} < set(names)
    assert page.locator("img[src='x'], main script").count() == 0
    for number in range(len(NAMES)):
        page.goto(page.url.split("/cuvee/")[0] + f"/cuvee/products/{product_id(number)}")
        assert page.locator("h1").count() == 1
        assert page.locator("img[src='x'], main script").count() == 0


def test_a_search_is_typed_narrowed_and_taken_away_with_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("products")
    page.get_by_label("Words of name, brand or ingredients").fill("raisin")
    page.keyboard.press("Enter")
    page.wait_for_url("**/products?text=raisin&sort=newest")
    facet = page.locator(".facets a", has_text="Vinegar or dressing")
    facet.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/products?text=raisin&label=vinegar")
    assert page.locator("td.title a").all_inner_texts() == [NAMES[3]]
    page.get_by_role("link", name="Take all away").click()
    page.wait_for_url("**/products")
    assert page.locator("td.title").count() == len(NAMES)


def test_photos_are_seen(open_page: Callable[..., Page]) -> None:
    page = open_page(f"products/{product_id(0)}")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.querySelector('img.large').naturalHeight") == 400


def test_facets_are_folded_where_there_is_little_room(open_page: Callable[..., Page]) -> None:
    for width, is_open in ((1400, True), (400, False)):
        page = open_page("products", viewport={"width": width, "height": 900})
        assert page.evaluate("document.querySelector('details.facets').open") == is_open
