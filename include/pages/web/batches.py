"""The page of batches: what came in, newest first, and the last 30 days of each source at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.batch_query import KINDS, OUTCOMES, batch_query
from include.pages.web.clock import Now, duration_text
from include.pages.web.data import CurrentData, Data
from include.pages.web.day_chart import PARTS, Chart, day_chart
from include.pages.web.host import Host, Right, Run
from include.pages.web.recent_days import DAG, recent_days
from include.pages.web.rendering import render
from include.pages.web.scheduler import scheduler_of
from include.warehouse.batch_history import StoredBatch, batch_sources, has_batches_table, newest_batches

router = router_for(Right.VIEW)

PAGE = 50


@router.get("/batches")
def batches(request: Request, viewer: CurrentViewer, data: CurrentData, moment: Now) -> Response:
    """The page."""
    host, engine = request.app.state.host, data.engine
    sources = batch_sources(engine) if has_batches_table(engine) else []
    asked = batch_query(request.query_params, sources)
    rows = newest_batches(engine, asked.chosen, after=asked.after, limit=PAGE + 1) if sources else []
    has_more, rows = len(rows) > PAGE, rows[:PAGE]
    return render(
        request,
        "batches.html",
        viewer,
        section="batches",
        asked=asked,
        rows=rows,
        runs=_runs_of(host, rows),
        older=f"{rows[-1].day},{rows[-1].source}" if has_more else "",
        charts=[] if asked.after or not sources else _charts(host, data, moment.date(), asked.chosen.source),
        parts=PARTS,
        sources=sources,
        kinds=KINDS,
        outcomes=OUTCOMES,
        scheduler=scheduler_of(host, moment),
        duration=duration_text,
        run_page=host.run_page,
        backfill_page=host.backfill_page(DAG),
    )


def _charts(host: Host, data: Data, today: date, only: str | None) -> list[Chart]:
    """The last days of the daily sources, or of one of them."""
    sources = [source for source in data.settings.daily_sources if only in (None, source)]
    if not sources:
        return []
    recent = recent_days(data.engine, host, data.settings, today, sources)
    return [day_chart(source, recent.days[source]) for source in sources]


def _runs_of(host: Host, rows: Sequence[StoredBatch]) -> dict[date, Run]:
    """Day → the newest run of the daily batches among the rows."""
    days = [row.day for row in rows if row.kind == "daily"]
    return {run.day: run for run in host.runs(DAG, min(days), max(days))} if days else {}
