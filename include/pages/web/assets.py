"""Serves the style sheet and the script by a route of their own, because a mounted folder has no login."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.responses import Response
from starlette.status import HTTP_404_NOT_FOUND

from include.pages.web.access import router_for
from include.pages.web.asset_files import FILES, asset_content
from include.pages.web.host import Right

router = router_for(Right.VIEW)


@router.get("/assets/{name}")
def asset(name: str) -> Response:
    """A style sheet or a script."""
    if name not in FILES:
        raise HTTPException(HTTP_404_NOT_FOUND, "There is no such file.")
    keep = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(asset_content(name), media_type=FILES[name][0], headers=keep)
