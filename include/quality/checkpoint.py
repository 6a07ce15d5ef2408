"""Validates a day's batch of one source as a whole; the report decides whether the day continues.

An empty day passes without Great Expectations being imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from include.quality import suites
from include.quality.batch_limits import BatchLimits
from include.quality.compact import Columns, CompactFile, read_compact
from include.quality.expectation_run import RuleResult, run_suite
from include.quality.report import Skipped, ValidationReport
from include.quality.report_sections import flag_bars, label_bars, quarantine_sections
from include.schema import LABELS, PRODUCTS
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

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
    """Numbers of records of a batch by the outcome of the row rules."""

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
        """Records that the row rules checked."""
        return self.products + self.quarantined

    @property
    def rejected_share(self) -> float:
        """Share of the source's records that were set aside, from 0 to 1, those known before included; 0 for none."""
        all_records = self.received + self.unchanged
        return self.quarantined / all_records if all_records else 0.0


def validate_products(
    lake: Lake,
    products_path: str,
    quarantine_path: str,
    source: str,
    day: date,
    *,
    counts: BatchCounts,
    history: Sequence[int],
    limits: BatchLimits,
    expect_fresh: bool = True,
    stored: int = 0,
    allow_empty: bool = False,
) -> ValidationReport:
    """Validate a day's products by the product suite and the batch rules.

    `products_path` and `quarantine_path` are Parquet files in the lake. `history` are the numbers of products
    of earlier days (empty: volume is not checked). `expect_fresh=False` is for catalogues, which may be old.
    `stored` is the number of products that an earlier run of the day left, which this batch replaces; a batch
    without products does so with `allow_empty` only.
    Raises nothing for a bad batch.
    """
    bounds = limits.volume_bounds(history)
    fewest = limits.fewest_again(stored)
    is_emptied = counts.products < fewest and not allow_empty
    empty = counts.received == 0 and not is_emptied and (bounds is None or bounds[0] == 0)
    report = ValidationReport(
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
        report.rules, report.skipped = _product_rules(
            products,
            quarantine.rows,
            day,
            counts=counts,
            history=history,
            limits=limits,
            expect_fresh=expect_fresh,
            may_be_empty=counts.products == 0 and (allow_empty or counts.unchanged > 0),
            # Listed only where it is broken: the report of a rerun is that of the first run.
            fewest_again=fewest if is_emptied else 0,
        )
        report.bars = [*quarantine.bars, *flag_bars(products.counts["flags"], products.rows)]
        report.examples = quarantine.examples
    return report


def _product_rules(
    products: CompactFile,
    quarantine_rows: int,
    day: date,
    *,
    counts: BatchCounts,
    history: Sequence[int],
    limits: BatchLimits,
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
    if limits.volume_bounds(history) is None:
        skipped.append(Skipped("volume", "No earlier day has products to compare with."))
    if not expect_fresh:
        skipped.append(Skipped("freshness", "A catalogue may be of any age."))
    elif age is None:
        skipped.append(Skipped("freshness", "The records of this source have no time of their last change."))
    batch_suite = suites.product_batch_suite(
        limits,
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
    *,
    products_path: str = "",
) -> ValidationReport:
    """Validate a day's labels by the label suite, against the day's products.

    `paths` are the Parquet files that together hold the labels of the day, one row per product of
    `products_path` (by default the day's products file).
    """
    import pandas as pd

    labels = read_compact(lake, paths, LABELS, LABEL_COLUMNS)
    known = read_compact(
        lake, [products_path or Batch(source, day).file(Layer.PRODUCTS)], PRODUCTS, Columns(kept=("product_id",))
    )
    unlabelled, unknown = _unmatched(known, labels)
    facts = {
        "schema": "; ".join(labels.schema_differences) or suites.NO_DIFFERENCE,
        "products_unlabelled": unlabelled,
        "labels_unknown": unknown,
    }
    decisions = labels.counts["decision"]
    report = ValidationReport(
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
    return report


def _unmatched(products: CompactFile, labels: CompactFile) -> tuple[int, int]:
    """Numbers of products without a label, and of labels without a product."""
    import pyarrow.compute as pc

    if "product_id" not in labels.table.column_names or "product_id" not in products.table.column_names:
        return products.rows, labels.rows
    product_ids, label_ids = products.table["product_id"], labels.table["product_id"]
    labelled = pc.sum(pc.is_in(product_ids, value_set=label_ids)).as_py() or 0
    recognised = pc.sum(pc.is_in(label_ids, value_set=product_ids)).as_py() or 0
    return products.rows - labelled, labels.rows - recognised
