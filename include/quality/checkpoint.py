"""Checks a day's batch of one source as a whole, writes its report, and says whether it may go on.

The report is written whatever the verdict; `BatchReport.raise_if_failed` then turns the task red. An empty day
passes without Great Expectations being imported.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from include.errors import BatchRejected
from include.quality import suites
from include.quality.compact import Columns, CompactFile, read_compact
from include.quality.expectation_run import RuleResult, run_suite
from include.quality.report import REPORTS, ReportPage, Skipped, write_report
from include.quality.report_sections import flag_bars, label_bars, quarantine_sections
from include.schema import LABELS, PRODUCTS
from include.settings import Settings
from include.warehouse.lake import Lake

logger = logging.getLogger(__name__)


PRODUCT_COLUMNS = Columns(
    kept=("product_id", "language"),
    lengths=("content_hash", "name", "description", "ingredients"),
    counted=("flags",),
    newest="last_modified",
)
LABEL_COLUMNS = Columns(
    kept=("product_id", "label", "department", "confidence", "decision", "modality", "model_version"),
    counted=("label", "decision", "photo_status"),
)


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """What the row rules made of a batch."""

    products: int
    """Records kept as products."""
    quarantined: int
    """Records set aside."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Reason code → quarantined records that have it (a record may have several)."""
    flags: Mapping[str, int] = field(default_factory=dict)
    """Flag → products that have it."""
    unchanged: int = 0
    """Records that an earlier day has with the same content, dropped before the row rules."""

    @property
    def received(self) -> int:
        """Records that came to the row rules."""
        return self.products + self.quarantined

    @property
    def rejected_share(self) -> float:
        """Share of the source's records that were set aside, from 0 to 1, those known before included; 0 for none."""
        all_records = self.received + self.unchanged
        return self.quarantined / all_records if all_records else 0.0


@dataclass(frozen=True, slots=True)
class BatchReport:
    """The verdict on one batch."""

    source: str
    day: date
    success: bool
    failures: list[str]
    """One sentence for each broken rule, with what was expected and what was found."""
    report_path: str
    """Path of the page in the lake."""
    report_url: str
    """Address of the page for a person."""

    def raise_if_failed(self, advice: str = "") -> None:
        """Raise BatchRejected, naming the broken rules and the report, unless the batch passed.

        `advice` is a sentence more, about what to do.
        """
        if not self.success:
            raise BatchRejected(
                f"the batch of {self.source} for {self.day.isoformat()} was rejected, nothing of it goes on. "
                f"Broken: {'; '.join(self.failures)}. {advice}{' ' if advice else ''}"
                f"Every rule and the quarantined rows: {self.report_url}"
            )


def validate_products(
    lake: Lake,
    products_path: str,
    quarantine_path: str,
    source: str,
    day: date,
    *,
    counts: BatchCounts,
    history: Sequence[int],
    settings: Settings,
    report_dir: str = "",
    expect_fresh: bool = True,
    stored: int = 0,
    allow_empty: bool = False,
) -> BatchReport:
    """Judge a day's products by the product suite and the batch rules, and write the report.

    `products_path` and `quarantine_path` are Parquet files in the lake. `history` are the numbers of products
    of earlier days (empty: volume is not judged). `expect_fresh=False` is for catalogues, which may be old.
    `stored` is the number of products that an earlier run of the day left, which this batch replaces; a batch
    without products does so with `allow_empty` only.
    The report goes to `report_dir`, by default `reports/validation/source=S/day=D`. Raises nothing for a bad
    batch: see `BatchReport.raise_if_failed`.
    """
    folder = report_dir or Lake.partition(REPORTS, source, day)
    bounds = suites.volume_bounds(settings, history)
    fewest = suites.fewest_again(settings, stored)
    is_emptied = counts.products < fewest and not allow_empty
    empty = counts.received == 0 and not is_emptied and (bounds is None or bounds[0] == 0)
    page = ReportPage(
        kind="products",
        source=source,
        day=day,
        counts={
            "received": counts.received,
            "products": counts.products,
            "quarantined": counts.quarantined,
            "flags": sum(counts.flags.values()),
            "unchanged": counts.unchanged,
        },
        empty=empty,
    )
    if not empty:
        products = read_compact(lake, [products_path], PRODUCTS, PRODUCT_COLUMNS)
        quarantine = quarantine_sections(lake, quarantine_path)
        page.rules, page.skipped = _product_rules(
            products,
            quarantine.rows,
            day,
            counts=counts,
            history=history,
            settings=settings,
            expect_fresh=expect_fresh,
            may_be_empty=counts.products == 0 and (allow_empty or counts.unchanged > 0),
            # Said only where it is broken: the report of a rerun is that of the first run.
            fewest_again=fewest if is_emptied else 0,
        )
        page.bars = [*quarantine.bars, *flag_bars(products.counts["flags"], products.rows)]
        page.examples = quarantine.examples
    else:
        lake.delete(f"{folder}/labels")  # of an earlier run, when there were products
    return _finish(lake, folder, page)


def _product_rules(
    products: CompactFile,
    quarantine_rows: int,
    day: date,
    *,
    counts: BatchCounts,
    history: Sequence[int],
    settings: Settings,
    expect_fresh: bool,
    may_be_empty: bool,
    fewest_again: int,
) -> tuple[list[RuleResult], list[Skipped]]:
    import pandas as pd

    day_end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)
    age = None if products.newest is None else (day_end - products.newest) / timedelta(days=1)
    facts = {
        "schema": "; ".join(products.schema_differences) or suites.NO_DIFFERENCE,
        "products": counts.products,
        "products_lost": abs(counts.products - products.rows),
        "quarantine_lost": abs(counts.quarantined - quarantine_rows),
        "rejected_percent": 100 * counts.rejected_share,
        "days_since_newest": 0.0 if age is None else age,
    }
    remarks = {
        "unknown_schema_version": counts.flags.get("unknown_schema_version", 0),
        "unreadable": counts.reasons.get("unreadable", 0),
    }
    facts |= remarks
    skipped = []
    if suites.volume_bounds(settings, history) is None:
        skipped.append(Skipped("volume", "No earlier day has products to compare with."))
    if not expect_fresh:
        skipped.append(Skipped("freshness", "A catalogue may be of any age."))
    elif age is None:
        skipped.append(Skipped("freshness", "The records of this source do not say when they were changed."))
    batch_suite = suites.product_batch_suite(
        settings,
        day,
        history,
        with_freshness=expect_fresh and age is not None,
        may_be_empty=may_be_empty,
        fewest_again=fewest_again,
    )
    batch_suite += suites.remark_expectations(remarks)
    rules = [
        *run_suite("products_batch", batch_suite, pd.DataFrame([facts])),
        *run_suite("products", suites.product_suite(), products.frame()),
    ]
    return rules, skipped


def validate_labels(
    lake: Lake,
    paths: Sequence[str],
    source: str,
    day: date,
    taxonomy_labels: Sequence[str],
    settings: Settings,
    *,
    products_path: str = "",
    report_dir: str = "",
) -> BatchReport:
    """Judge a day's labels by the label suite, against the day's products, and write the report.

    `paths` are the Parquet files that together hold the labels of the day, one row per product of
    `products_path` (by default the day's products file). The report goes to `report_dir`, by default
    `reports/validation/source=S/day=D/labels`.
    """
    import pandas as pd

    folder = report_dir or f"{Lake.partition(REPORTS, source, day)}/labels"
    labels = read_compact(lake, paths, LABELS, LABEL_COLUMNS)
    known = read_compact(
        lake, [products_path or Lake.day_file("products", source, day)], PRODUCTS, Columns(kept=("product_id",))
    )
    unlabelled, unknown = _unmatched(known, labels)
    facts = {
        "schema": "; ".join(labels.schema_differences) or suites.NO_DIFFERENCE,
        "products_unlabelled": unlabelled,
        "labels_unknown": unknown,
    }
    decisions = labels.counts["decision"]
    page = ReportPage(
        kind="labels",
        source=source,
        day=day,
        counts={
            "products": known.rows,
            "labelled": labels.rows,
            "accepted": decisions["accepted"],
            "review": decisions["review"],
        },
        rules=[
            *run_suite("labels_batch", suites.label_batch_suite(), pd.DataFrame([facts])),
            *run_suite("labels", suites.label_suite(taxonomy_labels), labels.frame()),
        ],
        bars=label_bars(labels.counts),
    )
    return _finish(lake, folder, page)


def _unmatched(products: CompactFile, labels: CompactFile) -> tuple[int, int]:
    """Numbers of products without a label, and of labels without a product."""
    import pyarrow.compute as pc

    if "product_id" not in labels.table.column_names or "product_id" not in products.table.column_names:
        return products.rows, labels.rows
    product_ids, label_ids = products.table["product_id"], labels.table["product_id"]
    labelled = pc.sum(pc.is_in(product_ids, value_set=label_ids)).as_py() or 0
    recognised = pc.sum(pc.is_in(label_ids, value_set=product_ids)).as_py() or 0
    return products.rows - labelled, labels.rows - recognised


def _finish(lake: Lake, folder: str, page: ReportPage) -> BatchReport:
    failures = [rule.sentence for rule in page.rules if rule.breaks_batch]
    path = write_report(lake, folder, page)
    logger.log(
        logging.ERROR if failures else logging.INFO,
        "validated %s source=%s day=%s verdict=%s %s report=%s",
        page.kind,
        page.source,
        page.day,
        page.verdict,
        page.counts,
        lake.url(path),
    )
    return BatchReport(
        source=page.source,
        day=page.day,
        success=not failures,
        failures=failures,
        report_path=path,
        report_url=lake.url(path),
    )
