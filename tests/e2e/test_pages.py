"""The pages inside a real Airflow: by its accounts, in a real browser."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
import requests

from include.local.airflow_config import Login
from include.local.airflow_runs import RunState
from include.local.processes import BackgroundProgram, wait_until
from include.pages.web.app import create_app
from include.settings import PROJECT_ROOT
from tests.e2e.platform import RUN_SECONDS, Platform
from tests.fixtures.airflow import RunningAirflow
from tests.fixtures.storage import free_port
from tests.fixtures.trained import FIRST_DAY, SECOND_DAY
from tests.pages.web.hosts import SmallHost
from tests.pages.web.test_access import pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(1800)]
NAVIGATION_MILLISECONDS = 60_000
"""With other tests on the same cores the first page takes its time."""
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


def log_in(page: Page, url: str, login: Login) -> None:
    """Log in as a person does."""
    page.goto(f"{url}/")
    page.fill("input[name=username]", login.username)
    page.fill("input[name=password]", login.password)
    page.press("input[name=password]", "Enter")
    page.get_by_role("link", name="Cuvée").wait_for()


@pytest.fixture
def open_airflow(browser: Browser, daily_platform: Platform) -> Iterator[Callable[[str], Page]]:
    """A function that logs an account into Airflow and gives a page of a new browser window."""
    contexts: list[BrowserContext] = []

    def open_(account: str = "admin") -> Page:
        context = browser.new_context(viewport=WIDE)
        contexts.append(context)
        context.set_default_timeout(NAVIGATION_MILLISECONDS)
        page = context.new_page()
        log_in(page, daily_platform.airflow.url, daily_platform.airflow.login(account))
        return page

    yield open_
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
    open_airflow: Callable[..., Page], refused: RunState
) -> None:
    page = open_airflow("ines")
    page.get_by_role("link", name="Cuvée").click()
    inside(page).get_by_role("link", name="Batches", exact=True).click()
    inside(page).get_by_role("heading", name="Batches", exact=True).wait_for()
    page.wait_for_url("**/plugin/cuvee/cuvee/batches")
    other = open_airflow()
    other.goto(page.url)
    inside(other).get_by_role("heading", name="Batches", exact=True).wait_for()
    assert other.url == page.url


def test_a_refused_day_leads_from_the_first_page_to_its_reasons_and_to_its_run(
    open_airflow: Callable[..., Page], daily_platform: Platform, refused: RunState
) -> None:
    page = open_airflow("ines")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{daily_platform.airflow.url}/plugin/cuvee")
    inside(page).get_by_text(SECOND_DAY.isoformat()).first.wait_for()
    inside(page).get_by_role("link", name="Report").first.click()
    inside(page).get_by_text("nothing of it reaches the warehouse").wait_for()
    inside(page).get_by_role("link", name="Home").click()
    inside(page).get_by_role("link", name="Run", exact=True).first.click()
    page.wait_for_url(lambda url: unquote(url).endswith(f"/dags/champagne_daily/runs/{refused.run_id}"))
    assert not inside(page).locator("nav.tabs").count(), "Airflow's own page, not one in a frame"
    foreign = [url for url in asked if not url.startswith((daily_platform.airflow.url, "data:", "blob:"))]
    assert foreign == [], "no request leaves the machine"


def test_products_are_searched_filtered_and_exported(
    open_airflow: Callable[..., Page], daily_platform: Platform, first_run: RunState
) -> None:
    page = open_airflow("ines")
    page.goto(f"{daily_platform.airflow.url}/plugin/cuvee/cuvee/products?source=openfoodfacts&text=champagne")
    rows = inside(page).locator("table tbody tr")
    rows.first.wait_for()
    inside(page).get_by_text("Export these products").click()
    with page.expect_download() as found:
        inside(page).get_by_role("link", name="CSV").click()
    exported = found.value.path().read_text(encoding="utf-8-sig").splitlines()
    ((matching,),) = daily_platform.rows(
        "SELECT count(*) FROM labelled_products WHERE source = 'openfoodfacts'"
        " AND (name || ' ' || coalesce(brand, '') || ' ' || coalesce(ingredients, '')) ILIKE '%champagne%'"
    )
    assert len(exported) - 1 >= matching > 0
    inside(page).locator("table tbody a").first.click()
    page.wait_for_url("**/plugin/cuvee/cuvee/products/*")
    inside(page).get_by_role("heading", name="Why this label").wait_for()


def test_the_pages_follow_airflows_switch_for_light_and_dark(
    open_airflow: Callable[..., Page], daily_platform: Platform
) -> None:
    page = open_airflow("ines")
    page.goto(f"{daily_platform.airflow.url}/plugin/cuvee")
    body = inside(page).locator("body")
    body.wait_for()

    def background() -> str:
        colour: str = body.evaluate("body => getComputedStyle(body).backgroundColor")
        return colour

    seen = set()
    for theme in ("light", "dark"):
        # What Airflow's switch does: its window tells the frames of the same origin by an event.
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        inside(page).locator(f'html[data-theme="{theme}"]').wait_for(state="attached")
        seen.add(background())
    assert len(seen) == 2


def test_a_tab_of_a_dag_and_of_a_run_shows_what_belongs_to_it(
    open_airflow: Callable[..., Page], daily_platform: Platform, refused: RunState
) -> None:
    page = open_airflow("ines")
    url = daily_platform.airflow.url
    page.goto(f"{url}/dags/champagne_daily/plugin/cuvee-dag")
    inside(page).get_by_text(FIRST_DAY.isoformat()).first.wait_for()
    page.goto(f"{url}/dags/champagne_daily/runs/{refused.run_id}/plugin/cuvee-run")
    inside(page).get_by_text("nothing of it reaches the warehouse").first.wait_for()


@pytest.fixture(scope="module")
def below_a_prefix(daily_platform: Platform, running_airflow: RunningAirflow) -> Iterator[str]:
    """Address of a second API server of the same Airflow, which a reverse proxy offers below `/airflow`."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/airflow"
    settings = running_airflow.settings
    environment = running_airflow.folder.environment(settings, os.environ) | {
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__PORT": str(port),
    }
    program = BackgroundProgram("second-api-server", settings.state_dir / "airflow" / "processes")
    program.start([sys.executable, "-m", "airflow", "api-server"], environment, PROJECT_ROOT)
    try:
        assert wait_until(lambda: answers(f"{address}/api/v2/monitor/health"), 180)
        yield address
    finally:
        program.stop()


def answers(url: str) -> bool:
    """Whether something answers there."""
    try:
        return requests.get(url, timeout=10).ok
    except requests.ConnectionError:
        return False


def test_the_pages_work_behind_a_reverse_proxys_prefix(
    browser: Browser, daily_platform: Platform, below_a_prefix: str, first_run: RunState
) -> None:
    page = browser.new_context(viewport=NARROW).new_page()
    page.set_default_timeout(NAVIGATION_MILLISECONDS)
    log_in(page, below_a_prefix, daily_platform.airflow.login("ines"))
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{below_a_prefix}/plugin/cuvee")
    for name in ("Batches", "Validation", "Products", "Model documents", "Home"):
        inside(page).get_by_role("link", name=name, exact=True).click()
        inside(page).locator(f'nav a[aria-current="page"]:text-is("{name}")').wait_for()
    assert [url for url in failed if "/cuvee" in url] == []
    page.context.close()
