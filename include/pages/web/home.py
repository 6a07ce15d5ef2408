"""The first page: what needs a person today, in one glance; on a new installation, what to do first."""

from __future__ import annotations

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.attention import MOST_COUNTED, look
from include.pages.web.clock import Now, age_text
from include.pages.web.data import CurrentData
from include.pages.web.host import Right
from include.pages.web.recent_days import DAG
from include.pages.web.rendering import render
from include.pages.web.scheduler import scheduler_of
from include.warehouse.batch_history import has_batches_table
from include.warehouse.promotions import decided_champion

router = router_for(Right.VIEW)


@router.get("/")
def home(request: Request, viewer: CurrentViewer, data: CurrentData, moment: Now) -> Response:
    """The page."""
    host = request.app.state.host
    found = look(data.engine, host, data.settings, moment)
    if found is None:
        return render(
            request,
            "start.html",
            viewer,
            section="",
            version=_champion(data.engine),
            sources=data.settings.daily_sources,
            scheduler=scheduler_of(host, moment),
            backfill_page=host.backfill_page(DAG),
        )
    return render(
        request,
        "home.html",
        viewer,
        section="",
        found=found,
        most_counted=MOST_COUNTED,
        champion_age=age_text(found.champion.decided_at, moment) if found.champion else "",
        run_page=host.run_page,
        backfill_page=host.backfill_page(DAG),
    )


def _champion(engine: Engine) -> str:
    """Number of the version that would label the first day; empty when there is none."""
    champion = decided_champion(engine) if has_batches_table(engine) else None
    return champion.candidate_version if champion else ""
