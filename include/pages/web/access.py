"""Who may open which route: every route declares a right, and a test looks at all of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request
from starlette.status import HTTP_403_FORBIDDEN

from include.pages.web.host import Right, Viewer

DAG_OF_RIGHT = {
    Right.VIEW: "champagne_daily",
    Right.REVIEW: "label_reviews",
    Right.ROLL_BACK: "rollback_champion",
    Right.RELABEL: "relabel_catalogue",
    Right.RETRAIN: "retrain_weekly",
}
"""The DAG whose permission a right is: reading it for `VIEW`, triggering it for the others."""


async def viewer_of(request: Request) -> Viewer:
    """The person who asks, as the host knows them."""
    viewer: Viewer = await request.app.state.host.viewer(request)
    return viewer


CurrentViewer = Annotated[Viewer, Depends(viewer_of)]


class Require:
    """A dependency that refuses whoever lacks a right."""

    def __init__(self, right: Right) -> None:
        """Name the right."""
        self.right = right

    def __call__(self, viewer: CurrentViewer) -> Viewer:
        """The viewer. Raises HTTPException 403 that says which permission is missing."""
        if not viewer.may(self.right):
            needed = "read" if self.right == Right.VIEW else "trigger"
            raise HTTPException(
                HTTP_403_FORBIDDEN,
                f"You may not {self.right} here: ask an administrator of Airflow for the permission to {needed} "
                f"the DAG {DAG_OF_RIGHT[self.right]}.",
            )
        return viewer


def router_for(right: Right) -> APIRouter:
    """A router all of whose routes need a right."""
    return APIRouter(dependencies=[Depends(Require(right))], include_in_schema=False)
