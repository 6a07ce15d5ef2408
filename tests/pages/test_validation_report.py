"""The pages that people read: whole without network, harmless whatever a product is called."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

from include.pages.validation_report import OVERVIEW, write_overview, write_report
from include.pipeline.daily.batch_report import report_batch
from include.pipeline.daily.validate import batch_limits
from include.quality.checkpoint import BatchCounts, validate_products
from include.quality.report import ValidationReport
from include.schema import Rejection
from include.settings import Settings
from include.storage.lake import Lake
from tests.quality.batches import (
    LabelledDay,
    check_label_files,
    good_products,
    nameless,
    validate,
    write_batch,
)

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' onmouseover='alert(3)"


class Tags(HTMLParser):
    """Collects what a browser would see as tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def seen_by_a_browser(lake: Lake, path: str) -> Tags:
    parser = Tags()
    parser.feed(lake.read_bytes(path).decode())
    return parser


def test_a_page_needs_nothing_from_elsewhere(lake: Lake, settings: Settings) -> None:
    report = validate(lake, write_batch(lake, [*good_products(5), *nameless(2)]), settings)
    for path in (report.report_path, OVERVIEW):
        page = seen_by_a_browser(lake, path)
        assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
        loaded = [value for name, value in page.attributes if name in {"src", "srcset", "background"}]
        assert loaded == []
        assert "url(" not in lake.read_bytes(path).decode()


def test_product_texts_cannot_inject_anything(lake: Lake, settings: Settings) -> None:
    rejection = Rejection(
        "openfoodfacts", HOSTILE, ("no_name", HOSTILE), HOSTILE, {HOSTILE: HOSTILE, "a": "\u202egnp.exe"}, HOSTILE
    )
    report = validate(lake, write_batch(lake, [*good_products(5), rejection]), settings)
    page = seen_by_a_browser(lake, report.report_path)
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    text = lake.read_bytes(report.report_path).decode()
    assert "&lt;script&gt;alert(1)" in text
    assert "\u202e" not in text
    assert "[U+202E]" in text


def test_values_that_break_an_expectation_cannot_inject_anything(lake: Lake, settings: Settings) -> None:
    products = [replace(good_products(1)[0], language=HOSTILE)]
    report = validate(lake, write_batch(lake, products), settings)
    page = seen_by_a_browser(lake, report.report_path)
    assert "onerror" in lake.read_bytes(report.report_path).decode()
    assert not {"script", "img"} & set(page.tags)


def test_a_source_by_the_name_of_a_script_cannot_inject_anything(lake: Lake) -> None:
    page = ValidationReport(
        kind="products",
        source="<script>",
        day=date(2026, 1, 1),
        counts=dict.fromkeys(["received", "products", "quarantined"], 0),
        empty=True,
    )
    path = write_report(lake, "reports/validation/source=odd/day=2026-01-01", page)
    for written in (path, OVERVIEW):
        assert "script" not in seen_by_a_browser(lake, written).tags


def test_the_page_tells_verdict_reasons_and_attribution(lake: Lake, settings: Settings) -> None:
    report = validate(lake, write_batch(lake, [*good_products(5), *nameless(2)]), settings)
    text = lake.read_bytes(report.report_path).decode()
    assert "✓ passed" in text
    assert "The product has no name." in text
    assert "No product is in the batch twice." in text
    assert "Open Food Facts contributors" in text
    assert 'href="https://world.openfoodfacts.org/terms-of-use"' in text


def test_links_of_all_pages_lead_somewhere(lake: Lake, settings: Settings) -> None:
    labelled = LabelledDay(good_products(5))
    validate(lake, write_batch(lake, labelled.products), settings)
    check_label_files(lake, labelled.write(lake, labelled.rows()))
    pages = [path for path in lake.list_files("reports") if path.endswith(".html")]
    assert len(pages) == 3
    for path in pages:
        for name, link in seen_by_a_browser(lake, path).attributes:
            if name == "href" and not link.startswith("https://"):
                parts = path.split("/")[:-1]
                for step in link.split("/"):
                    parts = parts[:-1] if step == ".." else [*parts, step]
                assert lake.exists("/".join(parts)), f"{path} links to {link}"


def test_nothing_of_this_machine_or_this_moment_is_in_a_report(lake: Lake, settings: Settings) -> None:
    counts = write_batch(lake, good_products(5))
    validate(lake, BatchCounts(counts.products + 1, 0), settings)
    for path in lake.list_files("reports"):
        text = lake.read_bytes(path).decode()
        assert not re.search(r"Traceback|site-packages|/tmp/|run_time|20\d\d-\d\d-\d\dT", text), path


def test_the_overview_lists_every_day_newest_first(lake: Lake, settings: Settings) -> None:
    counts, limits = BatchCounts(0, 0), batch_limits(settings)
    for source, day in [("openfoodfacts", 2), ("edamam", 1), ("openfoodfacts", 1), ("edamam", 2)]:
        report = validate_products(
            lake,
            "absent",
            "absent",
            source,
            date(2026, 1, day),
            counts=counts,
            history=[],
            limits=limits,
        )
        report_batch(lake, report)
    text = lake.read_bytes(OVERVIEW).decode()
    rows = re.findall(r'<td class="whole">(.*?)</td><td class="whole">(.*?)</td>', text)
    assert rows == [
        ("2026-01-02", "edamam"),
        ("2026-01-02", "openfoodfacts"),
        ("2026-01-01", "edamam"),
        ("2026-01-01", "openfoodfacts"),
    ]


def test_the_overview_of_nothing_says_so(lake: Lake) -> None:
    write_overview(lake)
    assert "No day has been validated yet" in lake.read_bytes(OVERVIEW).decode()
