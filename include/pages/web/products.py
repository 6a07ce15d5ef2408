"""The page of products."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.host import Right
from include.pages.web.rendering import render

router = router_for(Right.VIEW)


@router.get("/products")
def products(request: Request, viewer: CurrentViewer) -> Response:
    """The page."""
    return render(request, "products.html", viewer, section="products")
