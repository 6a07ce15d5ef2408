"""The pages inside a real Airflow: by its accounts, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from include.local.airflow_runs import RunState
from include.pages.web.app import create_app
from tests.e2e.platform import RUN_SECONDS, Platform
from tests.fixtures.trained import SECOND_DAY
from tests.pages.web.hosts import SmallHost
from tests.pages.web.test_access import pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(1800)]
NAVIGATION_MILLISECONDS = 60_000
"""With other tests on the same cores the first page takes its time."""
SERIOUS = ("serious", "critical")
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 400, "height": 850}


@pytest.fixture(scope="module")
def refused(daily_platform: Platform, first_run: RunState) -> RunState:
    """The finished run of a second day whose batch validation refuses."""
    api = daily_platform.api
    api.require_success([first_run])
    day = {"day": SECOND_DAY.isoformat()}
    api.wait_for_run("champagne_daily", api.trigger("champagne_daily", day), RUN_SECONDS)
    with daily_platform.nameless_landing("openfoodfacts", SECOND_DAY):
        return api.wait_for_run("champagne_daily", api.trigger("champagne_daily", day), RUN_SECONDS)


@pytest.fixture
def open_airflow(browser: Browser, daily_platform: Platform) -> Iterator[Callable[..., Page]]:
    """A function that logs an account into Airflow and gives a page of a new browser window."""
    contexts: list[BrowserContext] = []

    def log_in(account: str = "admin", **options: object) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        context.set_default_timeout(NAVIGATION_MILLISECONDS)
        page = context.new_page()
        login = daily_platform.airflow.login(account)
        page.goto(f"{daily_platform.airflow.url}/")
        page.fill("input[name=username]", login.username)
        page.fill("input[name=password]", login.password)
        page.press("input[name=password]", "Enter")
        page.get_by_role("link", name="Cuvée").wait_for()
        return page

    yield log_in
    for context in contexts:
        context.close()


def inside(page: Page) -> FrameLocator:
    """What the pages show within Airflow's."""
    return page.frame_locator("iframe")


def token(platform: Platform, account: str) -> dict[str, str]:
    """Headers of an account that is logged in."""
    login = platform.airflow.login(account)
    body = {"username": login.username, "password": login.password}
    answer = requests.post(f"{platform.airflow.url}/auth/token", json=body, timeout=30)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_every_page_wants_a_login_and_opens_for_whoever_may_read_the_dag(daily_platform: Platform) -> None:
    addresses = pages(create_app(SmallHost(), daily_platform.settings))
    viewer = token(daily_platform, "ines")
    for method, address, _rights in addresses:
        url = f"{daily_platform.airflow.url}/cuvee/{address}"
        assert requests.request(method, url, timeout=60).status_code == 401, address
        broken = {"Authorization": "Bearer nonsense"}
        assert requests.request(method, url, headers=broken, timeout=60).status_code in (401, 403), address
        assert requests.request(method, url, headers=viewer, timeout=60).status_code in (200, 404), address


def test_people_come_from_the_navigation_and_a_link_can_be_sent(
    open_airflow: Callable[..., Page], daily_platform: Platform, refused: RunState
) -> None:
    page = open_airflow("ines")
    page.get_by_role("link", name="Cuvée").click()
    inside(page).get_by_role("link", name="Batches").click()
    inside(page).get_by_role("heading", name="Batches").wait_for()
    page.wait_for_url("**/plugin/cuvee/cuvee/batches")
    other = open_airflow()
    other.goto(page.url)
    inside(other).get_by_role("heading", name="Batches").wait_for()
    assert other.url == page.url
