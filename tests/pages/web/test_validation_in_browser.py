"""Whether everybody can use the pages of validation, documents and tabs, and what a browser makes of stored pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import Engine

from include.pages.decision_page import write_decision_page
from include.pages.decisions_overview import write_decisions_overview
from include.pages.relabel_report import write_relabel_report
from include.pages.web.host import Run
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.warehouse.batches import record_failure
from tests.pages.judgements import decide, draw_promotion, leave
from tests.pages.test_relabel_report import drawn_summary
from tests.pages.web.hosts import SmallHost
from tests.pages.web.validated_days import HOSTILE, leave_day, leave_drift, rejected

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

DAY = date(2026, 1, 5)
REFUSED = "validation/openfoodfacts/2026-01-06"
REPORT = "reports/validation/source=openfoodfacts/day=2026-01-05/index.html"


@pytest.fixture
def stored(warehouse_settings: Settings, warehouse: Engine, host: SmallHost) -> Lake:
    """A green day, a refused one, one that failed early, a decision and a relabelling."""
    lake = Lake(warehouse_settings.lake_root)
    leave_day(lake, warehouse, Batch("openfoodfacts", DAY), [rejected(1)], warned=["volume"])
    leave_drift(lake, Batch("openfoodfacts", DAY))
    hostile = rejected(0, native_id=HOSTILE, detail=HOSTILE, raw={HOSTILE: HOSTILE})
    refused = Batch("openfoodfacts", DAY + timedelta(days=1))
    leave_day(lake, warehouse, refused, [hostile, *map(rejected, range(1, 60))], broken=["volume"])
    record_failure(warehouse, "edamam", DAY, "fetch", "The source did not answer.")
    decide(warehouse, draw_promotion())
    write_decision_page(leave(lake, draw_promotion()), warehouse_settings)
    write_decisions_overview(warehouse_settings)
    write_relabel_report(lake, drawn_summary())
    moment = datetime(2026, 1, 7, tzinfo=UTC)
    host.stored.append(Run("champagne_daily", "r", DAY, "success", moment, moment))
    return lake


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_nobody_is_kept_out_and_no_page_is_wider_than_its_window(
    open_page: Callable[..., Page], stored: Lake, width: int, scheme: str
) -> None:
    for address in (
        "validation", "validation/openfoodfacts/2026-01-05", REFUSED, "validation/edamam/2026-01-05", "documents",
        f"documents/view/{REPORT}", "dags/champagne_daily", "dags/champagne_daily/runs/r", "dags/other",
    ):  # fmt: skip
        # axe is put into the page, which the policy of the pages forbids.
        page = open_page(address, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
        page.wait_for_load_state("networkidle")
        found = Axe().run(page, options={"iframes": False}).response
        assert len(found["passes"]) > 10
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], address
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        page.context.close()


def test_a_person_chooses_a_reason_turns_the_page_and_opens_a_record(
    open_page: Callable[..., Page], stored: Lake
) -> None:
    page = open_page(REFUSED)
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**after=49**")
    assert page.locator("#quarantine tbody tr").count() == 10
    page.get_by_role("link", name="First page").click()
    page.wait_for_url(f"**/{REFUSED}#quarantine")
    page.get_by_label("Reason").select_option("no_name")
    page.wait_for_url("**reason=no_name**")
    page.locator("#quarantine summary").first.click()
    assert (
        HOSTILE.replace("\u202e", "[U+202E]").replace('"', '\\"') in page.locator("#quarantine pre").first.inner_text()
    )


def test_no_text_of_a_record_runs_or_loads_anything(open_page: Callable[..., Page], stored: Lake) -> None:
    page = open_page("validation")
    complaints: list[str] = []
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for address in (REFUSED, f"documents/view/{REPORT.replace('05/', '06/')}"):
        page.goto(f"http://pages.test/airflow/cuvee/{address}")
        page.wait_for_load_state("networkidle")
    assert complaints == []


def test_a_stored_page_follows_the_theme_of_airflow_and_its_links_go_on(
    open_page: Callable[..., Page], stored: Lake
) -> None:
    page = open_page(f"documents/view/{REPORT}", color_scheme="light")
    theme = "document.querySelector('iframe').contentDocument.documentElement.dataset.theme"
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    page.wait_for_function(f"{theme} === 'dark'")
    page.evaluate("localStorage.setItem('theme', 'light'); dispatchEvent(new StorageEvent('storage', {key: 'theme'}))")
    assert page.evaluate(theme) == "light"
    frame = page.frame_locator("iframe.document")
    frame.get_by_role("link", name="All validation reports").click()
    frame.get_by_role("heading", name="Validation reports").wait_for()
    frame.get_by_role("link", name="failed").first.click()
    frame.get_by_text("This batch was rejected").wait_for()
    assert page.evaluate(theme) == "light"


def test_a_link_of_a_stored_page_to_another_site_opens_beside(open_page: Callable[..., Page], stored: Lake) -> None:
    page = open_page(f"documents/view/{REPORT}")
    page.wait_for_load_state("networkidle")
    with page.context.expect_page() as opened:
        page.frame_locator("iframe.document").get_by_role("link", name="Open Food Facts contributors").click()
    assert opened.value.url.startswith(("https://world.openfoodfacts.org", "about:blank"))
    assert page.url.endswith(REPORT)


def test_a_stored_page_may_not_run_a_script(open_page: Callable[..., Page], stored: Lake) -> None:
    path = "reports/relabel/version=9/index.html"
    stored.write_bytes(
        path, b"<title>x</title><script>parent.ran = document.title = 'ran'</script><p onclick=1>text</p>"
    )
    page = open_page(f"documents/view/{path}")
    page.frame_locator("iframe.document").get_by_text("text").wait_for()
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.querySelector('iframe').contentDocument.title") == "x"
