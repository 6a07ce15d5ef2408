"""A report is read back as it was written, on the local disk and on S3."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import pytest

from include.pages.drift_report import DriftPage, write_drift_report
from include.pages.green_comparison import changes_since_green, rule_histories
from include.pages.stored_reports import read_reports, read_summaries, reported_days, reported_sources
from include.pages.validation_report import write_report
from include.pipeline.daily.batch_report import report_batch
from include.pipeline.daily.validate import batch_limits
from include.quality.checkpoint import validate_products
from include.quality.report import ValidationReport
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from tests.pages.test_drift_report import PAGE
from tests.quality.batches import DAY, PRODUCTS_PATH, QUARANTINE_PATH, SOURCE, good_products, nameless, write_batch

BATCH = Batch(SOURCE, DAY)
NOTHING = dict.fromkeys(["received", "products", "quarantined"], 0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose limits are the usual ones."""
    return Settings(state_dir=tmp_path)


def judged(lake: Lake, settings: Settings, bad: int, history: tuple[int, ...] = ()) -> ValidationReport:
    """A real report on ten products and some bad records."""
    counts = write_batch(lake, [*good_products(10), *nameless(bad)])
    return validate_products(
        lake, PRODUCTS_PATH, QUARANTINE_PATH, SOURCE, DAY,
        counts=counts, history=history, limits=batch_limits(settings),
    )  # fmt: skip


@pytest.mark.parametrize(("bad", "verdict"), [(0, "passed"), (30, "failed")])
def test_a_real_report_is_read_back_whole(any_lake: Lake, settings: Settings, bad: int, verdict: str) -> None:
    written = judged(any_lake, settings, bad)
    report_batch(any_lake, written)
    read = read_reports(any_lake, BATCH).products
    assert read is not None
    assert read.verdict == written.verdict == verdict
    assert read.reasons == written.reasons == ({"no_name": bad} if bad else {})
    found, expected = asdict(read), asdict(written)
    for rule in [*found["rules"], *expected["rules"]]:
        rule.pop("result"), rule.pop("arguments")  # what the library found, where JSON has no dates
    assert found == expected
    assert read_summaries(any_lake, [BATCH])[BATCH]["products"].rules == written.summary()["rules"]


def test_a_drift_page_is_read_back(any_lake: Lake) -> None:
    write_drift_report(any_lake, PAGE)
    found = read_reports(any_lake, Batch(PAGE.source, PAGE.day))
    assert isinstance(found.drift, DriftPage)
    assert asdict(found.drift) == asdict(PAGE)
    assert found.products is None and not found.is_refused


def test_days_and_sources_are_those_that_have_reports(any_lake: Lake) -> None:
    assert reported_sources(any_lake) == []
    for source, number in (("b", 1), ("a", 2), ("b", 3)):
        any_lake.write_bytes(f"{Batch(source, date(2026, 1, number)).folder(Layer.VALIDATION_REPORTS)}/index.html", b"")
    any_lake.write_bytes("reports/validation/source=b/day=never/index.html", b"")
    any_lake.write_bytes("reports/validation/index.html", b"")
    assert reported_sources(any_lake) == ["a", "b"]
    assert reported_days(any_lake, "b") == [date(2026, 1, 3), date(2026, 1, 1)]
    assert reported_days(any_lake, "none") == []


def test_a_refused_batch_is_compared_with_the_newest_that_had_products_and_passed(
    any_lake: Lake, settings: Settings
) -> None:
    report = judged(any_lake, settings, 30)
    days = [Batch(SOURCE, DAY - timedelta(days=number)) for number in (3, 2, 1, 0)]
    green = judged(any_lake, settings, 2)
    report_batch(any_lake, _moved(green, days[0]))
    report_batch(any_lake, ValidationReport("products", SOURCE, days[1].day, NOTHING, empty=True))
    report_batch(any_lake, _moved(report, days[2]))
    report_batch(any_lake, report)
    history = read_summaries(any_lake, days, with_rules=True)
    changes = changes_since_green(read_reports(any_lake, BATCH), BATCH, history)
    assert changes is not None and changes.green == days[0]
    assert [rule.meaning for rule in changes.rules] == [rule.meaning for rule in report.broken]
    assert all(rule.before for rule in changes.rules)
    assert [(one.name, one.before, one.now) for one in changes.grown_reasons] == [("no_name", 2, 30)]
    states = [result.state for result in rule_histories(history, "products")[report.broken[0].rule]]
    assert states == ["passed", "empty", "failed", "failed"]


def _moved(report: ValidationReport, batch: Batch) -> ValidationReport:
    """The same report on another day."""
    return ValidationReport(
        **{name: getattr(report, name) for name in report.__dataclass_fields__} | {"day": batch.day}
    )


def test_a_summary_is_small_whatever_a_rule_found(lake: Lake) -> None:
    from include.quality.expectation_run import RuleResult

    rule = RuleResult("volume", "As many as ever.", "critical", False, "x" * 10_000, "expect_column_to_exist")
    path = write_report(
        lake, BATCH.folder(Layer.VALIDATION_REPORTS), ValidationReport("products", SOURCE, DAY, NOTHING, rules=[rule])
    )
    assert len(lake.read_bytes(path.replace("index.html", "summary.json"))) < 1_000
