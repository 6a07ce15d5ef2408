"""The report on a day's batch, written whatever the verdict; `BatchReport.raise_if_failed` then turns the task red."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date

from include.errors import BatchRejected
from include.pages.validation_report import write_report
from include.quality.report import ValidationReport
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)


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


def report_batch(lake: Lake, report: ValidationReport) -> BatchReport:
    """Write a report as a page and as data, and log the verdict.

    It goes to `reports/validation/source=S/day=D`, that on labels into the folder `labels` there.
    """
    folder = Batch(report.source, report.day).folder(Layer.VALIDATION_REPORTS)
    labels_folder = f"{folder}/labels"
    if report.empty:
        lake.delete(labels_folder)  # of an earlier run, when there were products
    path = write_report(lake, labels_folder if report.kind == "labels" else folder, report)
    failures = report.failures
    logger.log(
        logging.ERROR if failures else logging.INFO,
        "validated %s source=%s day=%s verdict=%s %s report=%s",
        report.kind,
        report.source,
        report.day,
        report.verdict,
        report.counts,
        lake.url(path),
    )
    return BatchReport(
        source=report.source,
        day=report.day,
        success=not failures,
        failures=failures,
        report_path=path,
        report_url=lake.url(path),
    )
