"""The pages of validation: all days, and one batch with its rules, their past, and what was set aside."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from include.pages.attributions import attribution
from include.pages.drift_report import FIGURES
from include.pages.green_comparison import RUNS, History, changes_since_green, rule_histories
from include.pages.stored_reports import KINDS, BatchReports, read_reports, read_summaries, report_folder, reported_days
from include.pages.validated_days import list_days, neighbours
from include.pages.validation_report import COUNT_MEANINGS
from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.batch_address import KnownBatch, day_of
from include.pages.web.data import CurrentData, Data
from include.pages.web.host import Right
from include.pages.web.quarantine import quarantine_of, reasons_of
from include.pages.web.rendering import render
from include.storage.batch import Batch

router = router_for(Right.VIEW)


@router.get("/validation")
def validation(
    request: Request, viewer: CurrentViewer, data: CurrentData, source: str = "", until: str = ""
) -> Response:
    """The list of all batches, some days at a time."""
    day = day_of(until)
    listed = list_days(data.lake, data.engine, source=source, until=day)
    remarks = []
    if until and day is None:
        remarks.append(f"“{until[:40]}” is no day such as 2026-01-05: the newest days are shown.")
    return render(
        request,
        "validation.html",
        viewer,
        section="validation",
        values={"source": source, "until": day.isoformat() if day else ""},
        rows=listed.rows,
        sources=listed.sources,
        older=listed.older,
        remarks=remarks,
    )


@router.get("/validation/{source}/{day}")
def validation_of_day(
    request: Request, viewer: CurrentViewer, data: CurrentData, known: KnownBatch, reason: str = "", after: str = ""
) -> Response:
    """The reports on one batch, and its quarantined records."""
    batch, state = known
    reports = read_reports(data.lake, batch)
    days = reported_days(data.lake, batch.source)
    history = _history(data, batch, [day for day in days if day <= batch.day][:RUNS])
    reasons = reasons_of(reports, state)
    remarks = []
    if reason and reason not in reasons:
        remarks.append(f"No record of this batch was set aside for “{reason[:40]}”: all of them are shown.")
        reason = ""
    page = quarantine_of(data, batch, state, reports).page(reason or None, after)
    earlier, later = neighbours(days, batch.day)
    return render(
        request,
        "validation_day.html",
        viewer,
        section="validation",
        batch=batch,
        state=state,
        reports=reports,
        earlier=earlier and Batch(batch.source, earlier),
        later=later and Batch(batch.source, later),
        changes=changes_since_green(reports, batch, history) if reports.is_refused else None,
        values={"reason": reason, "after": after},
        reasons=reasons,
        remarks=remarks,
        rows=page.rows,
        after=page.after,
        attribution=attribution(batch.source),
        **report_context(reports, batch, history),
    )


def report_context(reports: BatchReports, batch: Batch, history: History) -> dict[str, Any]:
    """What the templates of the reports need besides the reports themselves."""
    return {
        "runs": RUNS,
        "histories": {report.kind: rule_histories(history, report.kind) for report in reports.checked},
        "count_meanings": COUNT_MEANINGS,
        "figure_meanings": FIGURES,
        "files": {kind: report_folder(batch, kind) for kind in KINDS},
    }


def _history(data: Data, batch: Batch, days: list[Any]) -> History:
    """The summaries of a source's reports of these days, oldest first."""
    return read_summaries(data.lake, [Batch(batch.source, day) for day in sorted(days)], with_rules=True)
