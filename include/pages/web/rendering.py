"""How a page of the application is rendered: the one template engine, addresses that are relative, and the viewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse

from include.pages.rendering import html_environment
from include.pages.web.asset_files import asset_version
from include.pages.web.host import Viewer

SECTIONS = {
    "": "Home",
    "batches": "Batches",
    "validation": "Validation",
    "products": "Products",
    "documents": "Model documents",
}
"""Address of each section → its name in the navigation."""


def root_of(request: Request) -> str:
    """The way from a page to the first one: `./` for `/products`, `../` for `/products/openfoodfacts:1`.

    Relative, so that it holds below any prefix that a reverse proxy or Airflow puts before it.
    """
    # As it was asked for: the browser counts `%2F` in an id as no step, and `path` has it decoded.
    path = (request.scope.get("raw_path") or quote(request.scope["path"]).encode()).decode("latin-1").partition("?")[0]
    path = path.removeprefix(quote(request.scope.get("root_path", "")))
    return "../" * (path.count("/") - 1) or "./"


def part(text: str) -> str:
    """A text as one part of an address, whatever it holds: `openfoodfacts:a/b` gives `openfoodfacts:a%2Fb`."""
    return quote(text.encode("utf-8", "replace"), safe=":")


def query(values: Mapping[str, Any], **changes: Any) -> str:
    """A query string with the values that are not empty, some of them changed: `?label=juice&page=2`; `` for none."""
    merged = {name: value for name, value in {**values, **changes}.items() if value not in (None, "", [], ())}
    return f"?{urlencode(merged, doseq=True)}" if merged else ""


def render(
    request: Request, template: str, viewer: Viewer | None, *, section: str = "", status: int = 200, **context: Any
) -> HTMLResponse:
    """The page of a template of `templates/web`; `section` is the one that the navigation marks."""
    root = root_of(request)
    html = (
        html_environment()
        .get_template(f"web/{template}")
        .render(
            root=root,
            host=f"{root}{request.app.state.host.home}",
            sections=SECTIONS,
            section=section,
            viewer=viewer,
            query=query,
            part=part,
            asset_version=asset_version,
            **context,
        )
    )
    return HTMLResponse(html, status)
