"""What the script does to the page of batches, and whether everybody can use it and the first one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from sqlalchemy import Engine

from include.pages.web.clock import now
from tests.pages.web.batch_rows import NOW, REASON, fail, publish, run_of
from tests.pages.web.hosts import SmallHost

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def troubled(application: FastAPI, warehouse: Engine, host: SmallHost) -> SmallHost:
    """A month with everything that can happen."""
    application.dependency_overrides[now] = lambda: NOW
    for ago in (1, 2, 3, 6, 7):
        publish(warehouse, ago, warnings=["edamam: drifted"] if ago == 2 else [])
        host.stored.append(run_of(ago))
    publish(warehouse, 8, received=0, aside=0, reviewed=0)
    fail(warehouse, 3, step="validate", reason=REASON)
    fail(warehouse, 1, reason="down " * 100)
    host.found = ["the alias is wrong: `python -m include rollback`"]
    return host


def test_the_answer_of_the_check_takes_the_place_of_its_link(
    open_page: Callable[..., Page], troubled: SmallHost
) -> None:
    page = open_page("batches")
    page.get_by_text("the alias is wrong").wait_for()
    assert page.get_by_role("link", name="Check now").count() == 0
    assert page.locator("h1").all_inner_texts() == ["Batches"]


def test_the_link_stays_where_there_is_no_answer_or_no_script(
    open_page: Callable[..., Page], troubled: SmallHost
) -> None:
    without_script = open_page("batches", java_script_enabled=False)
    without_script.get_by_role("link", name="Check now").click()
    without_script.get_by_text("the alias is wrong").wait_for()

    page = open_page("")
    page.context.route("**/checks", lambda route: route.abort())
    page.get_by_role("link", name="Batches", exact=True).click()
    page.wait_for_load_state("networkidle")
    page.wait_for_function("!document.querySelector('[aria-busy]')")
    assert page.get_by_role("link", name="Check now").count() == 1


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_nobody_is_kept_out_and_no_page_is_wider_than_its_window(
    open_page: Callable[..., Page], troubled: SmallHost, width: int, scheme: str
) -> None:
    for address in ("", "batches", "batches?kind=odd&status=failed", "checks"):
        # axe is put into the page, which the policy of the pages forbids.
        page = open_page(address, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response
        assert len(found["passes"]) > 10
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], address
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
