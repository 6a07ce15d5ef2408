"""Days of a source as validation and publishing leave them, in the lake and in the warehouse; without products."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from include.pages.drift_report import DriftPage, write_drift_report
from include.pipeline.daily.batch_report import report_batch
from include.quality.expectation_run import RuleResult
from include.quality.report import Skipped, ValidationReport
from include.quality.report_sections import label_bars, quarantine_sections
from include.schema import QUARANTINE, Rejection
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.batches import BatchRecord, record_batch, record_failure
from include.warehouse.loading import load_import

RULES = {
    "unique": "No product is in the batch twice.",
    "rejected_share": "At most 20 % of the records are set aside.",
    "volume": "There are about as many products as on the days before.",
}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> {{7*7}} =cmd|x \u202egnp.exe'


def rejected(number: int, reason: str = "no_name", **changes: Any) -> Rejection:
    """A record that was set aside."""
    values: dict[str, Any] = {
        "source": "openfoodfacts",
        "native_id": f"{3_000_000 + number}",
        "reasons": (reason,),
        "detail": {"no_name": "no name", "text_too_long": "brand has 5,000 characters, at most 4,000 are taken"}.get(
            reason, "the line is not JSON"
        ),
        "raw": {"code": f"{3_000_000 + number}", "brands": "Maison"},
        "position": f"page-1:{number}",
    }
    return Rejection(**values | changes)


def leave_day(
    lake: Lake,
    engine: Engine,
    batch: Batch,
    rejections: Sequence[Rejection] = (),
    *,
    products: int = 100,
    broken: Collection[str] = (),
    warned: Collection[str] = (),
    meanings: Mapping[str, str] | None = None,
) -> None:
    """A day that was validated: published unless a rule is `broken`; rules in `warned` do not hold either."""
    rows = [rejection.to_row() for rejection in rejections]
    path = batch.file(Layer.QUARANTINE)
    if rows:
        import pyarrow as pa

        lake.write_parquet(path, pa.Table.from_pylist(rows, schema=QUARANTINE), 7)
    sections = quarantine_sections(lake, path)
    report = ValidationReport(
        kind="products",
        source=batch.source,
        day=batch.day,
        counts={"received": products + len(rows), "products": products, "quarantined": len(rows), "flags": 0},
        rules=[_rule(name, meaning, broken, warned) for name, meaning in (meanings or RULES).items()],
        skipped=[Skipped("freshness", "The records of this source have no time of their last change.")],
        bars=sections.bars,
        examples=sections.examples,
    )
    report_batch(lake, report)
    reasons = Counter(reason for rejection in rejections for reason in rejection.reasons)
    if report.verdict == "failed":
        record_failure(engine, batch.source, batch.day, "validate", f"the batch was rejected. Broken: {list(broken)}")
        return
    leave_labels(lake, batch, products)
    load_import(engine, lake, batch.source, batch.day, quarantine_path=path if rows else None, trusted=None)
    record = BatchRecord(
        batch.source,
        batch.day,
        "daily",
        received=products + len(rows),
        products=products,
        quarantined=len(rows),
        reasons=dict(reasons),
        labelled=products,
        accepted=products - 10,
        reviewed=10,
        model_version="3",
    )
    record_batch(engine, record)


def leave_labels(lake: Lake, batch: Batch, products: int) -> None:
    """The report on a day's labels."""
    labels = ValidationReport(
        kind="labels",
        source=batch.source,
        day=batch.day,
        counts={"labelled": products, "accepted": products - 10, "review": 10},
        rules=[_rule("known_labels", "Every label is one of the taxonomy.", (), ())],
        bars=label_bars({"label": Counter(champagne=products - 10, vinegar=10), "photo_status": Counter(ok=products)}),
    )
    report_batch(lake, labels)


def leave_drift(lake: Lake, batch: Batch, **changes: Any) -> None:
    """The drift page of a day, with one warning."""
    figure = {"value": 0.71, "bound": 0.55, "batch": None, "training": None, "verdict": "beyond"}
    page: dict[str, Any] = {
        "source": batch.source,
        "day": batch.day,
        "model_version": "3",
        "products": 1_234,
        "compared_with": "the 812 training products of openfoodfacts",
        "figures": {"label_mix": figure},
        "warnings": ["openfoodfacts: the mix of labels is another (distance 0.71, bound 0.55)."],
        "label_shares": [{"label": "champagne", "batch": 0.4, "training": 0.8}],
    }
    write_drift_report(lake, DriftPage(**page | changes))


def _rule(name: str, meaning: str, broken: Collection[str], warned: Collection[str]) -> RuleResult:
    holds = name not in broken and name not in warned
    return RuleResult(
        rule=name,
        meaning=meaning,
        severity="warning" if name in warned else "critical",
        success=holds,
        observed="as expected" if holds else f"31 % {HOSTILE}",
        expectation="expect_column_values_to_be_unique",
    )
