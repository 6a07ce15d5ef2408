"""The application that serves the pages.

    app = create_app(host, load_settings())

It is mounted below a prefix of the host, e.g. `/cuvee`, and works below any.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.status import HTTP_401_UNAUTHORIZED, HTTP_404_NOT_FOUND, HTTP_503_SERVICE_UNAVAILABLE

from include.errors import CuveeError
from include.pages.web import (
    assets,
    batches,
    checks,
    dag_tabs,
    documents,
    home,
    photos,
    product,
    product_exports,
    products,
    quarantine,
    validation,
)
from include.pages.web.data import Data
from include.pages.web.headers import SecurityHeaders
from include.pages.web.host import Host
from include.pages.web.rendering import render
from include.settings import Settings

logger = logging.getLogger(__name__)

HEADINGS = {
    HTTP_401_UNAUTHORIZED: "Log in first",
    403: "Not for this account",
    HTTP_404_NOT_FOUND: "Not found",
    HTTP_503_SERVICE_UNAVAILABLE: "Not at the moment",
}


def create_app(host: Host, settings: Settings) -> FastAPI:
    """The pages of the warehouse and the lake of `settings`, for the people whom `host` knows."""
    data = Data(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        data.close()

    app = FastAPI(title="Cuvée", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.host, app.state.data, app.state.checks = host, data, checks.Checks(host)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(CuveeError, _unavailable)
    pages = (
        home,
        batches,
        checks,
        validation,
        quarantine,
        products,
        product,
        photos,
        product_exports,
        documents,
        dag_tabs,
    )
    for page in (*pages, assets):
        app.include_router(page.router)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    """A page that says what was refused and what to do."""
    assert isinstance(error, HTTPException)  # noqa: S101  registered for it
    message = "" if error.detail == "Not Found" else str(error.detail)
    heading = HEADINGS.get(error.status_code, "This does not work")
    return render(request, "message.html", None, status=error.status_code, heading=heading, message=message)


async def _unavailable(request: Request, error: Exception) -> Response:
    """A page with the reason why the warehouse or the lake did not answer."""
    logger.warning("a page could not be shown: %s", error)
    heading = HEADINGS[HTTP_503_SERVICE_UNAVAILABLE]
    return render(
        request, "message.html", None, status=HTTP_503_SERVICE_UNAVAILABLE, heading=heading, message=str(error)
    )
