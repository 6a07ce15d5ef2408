"""The pages of Cuvée inside Airflow: below `/cuvee`, in the navigation, and as tabs of DAGs and runs.

Rights are Airflow's own permissions on DAGs, as its auth manager grants them (see `include/pages/web/access.py`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = "/cuvee"


@lru_cache(maxsize=1)
def _application() -> ASGIApp:
    """The pages; made for the first request, because every component of Airflow loads plugins, and one serves them."""
    from airflow_host import AirflowHost
    from include.pages.web.app import create_app
    from include.settings import load_settings

    return create_app(AirflowHost(), load_settings())


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request below the prefix."""
    await _application()(scope, receive, send)


class CuveePages(AirflowPlugin):
    """Registers the application and the places where Airflow's UI shows it; addresses are relative to Airflow's own."""

    name = "cuvee_pages"
    fastapi_apps: list[Any] = [{"app": pages, "url_prefix": PREFIX, "name": "Cuvée"}]  # noqa: RUF012
    external_views: list[Any] = [  # noqa: RUF012  Airflow reads them from the class
        {"name": "Cuvée", "href": "cuvee/", "destination": "nav", "url_route": "cuvee", "nav_top_level": True},
        {"name": "Cuvée", "href": "cuvee/dags/{DAG_ID}", "destination": "dag", "url_route": "cuvee-dag"},
        {
            "name": "Report",
            "href": "cuvee/dags/{DAG_ID}/runs/{RUN_ID}",
            "destination": "dag_run",
            "url_route": "cuvee-run",
        },
    ]
