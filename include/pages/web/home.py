"""The first page: what needs a person today, in one glance."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.attention import MOST_COUNTED, look
from include.pages.web.clock import Now, age_text
from include.pages.web.data import CurrentData
from include.pages.web.host import Right
from include.pages.web.recent_days import DAG
from include.pages.web.rendering import render

router = router_for(Right.VIEW)


@router.get("/")
def home(request: Request, viewer: CurrentViewer, data: CurrentData, moment: Now) -> Response:
    """The page."""
    host = request.app.state.host
    found = look(data.engine, host, data.settings, moment)
    return render(
        request,
        "home.html",
        viewer,
        section="",
        found=found,
        sources=data.settings.daily_sources,
        most_counted=MOST_COUNTED,
        champion_age=age_text(found.champion.decided_at, moment) if found.champion else "",
        run_page=host.run_page,
        backfill_page=host.backfill_page(DAG),
    )
