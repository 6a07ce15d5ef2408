"""The page of model documents, and the documents themselves in a frame of their own."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.status import HTTP_404_NOT_FOUND

from include.pages.decisions_overview import OVERVIEW as DECISIONS
from include.pages.model_documents import decision_documents, relabel_documents
from include.pages.stored_documents import StoredDocuments, title_of
from include.pages.validation_report import OVERVIEW as VALIDATIONS
from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.data import CurrentData, Data
from include.pages.web.host import Right
from include.pages.web.rendering import render

router = router_for(Right.VIEW)

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin"
)
"""For stored pages, which bring their styles and figures along: no script, no form, nothing from elsewhere.

They keep their origin, so that the page around them can tell them whether Airflow is light or dark.
"""


@router.get("/documents")
def documents(request: Request, viewer: CurrentViewer, data: CurrentData) -> Response:
    """The list of model cards, decisions and relabellings."""
    overviews = {"All decisions, with the course of the scores": DECISIONS, "All validation reports": VALIDATIONS}
    return render(
        request,
        "documents.html",
        viewer,
        section="documents",
        cards=documents_of(data).cards(),
        decisions=decision_documents(data.lake, data.engine),
        relabellings=relabel_documents(data.lake, data.engine),
        overviews={title: path for title, path in overviews.items() if data.lake.exists(path)},
    )


@router.get("/documents/view/{path:path}")
def document(request: Request, viewer: CurrentViewer, data: CurrentData, path: str) -> Response:
    """A stored page in the design of the others."""
    found = documents_of(data).read(path) if path.endswith(".html") else None
    if found is None:
        raise _no_document(path)
    return render(
        request,
        "document.html",
        viewer,
        section="validation" if path.startswith(VALIDATIONS.removesuffix("index.html")) else "documents",
        title=title_of(found[0]) or path,
        path=path,
    )


@router.get("/documents/raw/{path:path}")
def stored_document(data: CurrentData, path: str) -> Response:
    """A stored page, figure or result as it is; links from one to another go on working."""
    found = documents_of(data).read(path)
    if found is None:
        raise _no_document(path)
    content, media_type = found
    return Response(content, headers={"Content-Type": media_type, "Content-Security-Policy": POLICY})


def documents_of(data: Data) -> StoredDocuments:
    """The documents of the lake and of this machine."""
    return StoredDocuments(data.lake, data.settings.state_dir / "reports")


def _no_document(path: str) -> HTTPException:
    return HTTPException(
        HTTP_404_NOT_FOUND, f"There is no document {path[:200]}. Choose one of the list under Model documents."
    )
