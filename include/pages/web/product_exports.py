"""Files of the products of a filter: CSV and Parquet, streamed."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from threading import BoundedSemaphore

from fastapi import HTTPException
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.status import HTTP_503_SERVICE_UNAVAILABLE

from include.pages.web.access import router_for
from include.pages.web.data import CurrentData
from include.pages.web.host import Right
from include.warehouse.product_export import export_csv, export_parquet
from include.warehouse.product_filter import COLUMNS, ProductFilter, ProductQuery

router = router_for(Right.VIEW)

AT_ONCE = 3
"""Exports that run at the same time: each holds a connection as long as it lasts, and pages need some, too."""
_places = BoundedSemaphore(AT_ONCE)

Export = Callable[[Engine, ProductFilter, tuple[str, ...]], Iterator[bytes]]


@router.get("/exports/products.csv")
def as_csv(request: Request, data: CurrentData) -> Response:
    """The products of the filter as CSV."""
    return _download(request, data.engine, export_csv, "csv", "text/csv; charset=utf-8")


@router.get("/exports/products.parquet")
def as_parquet(request: Request, data: CurrentData) -> Response:
    """The products of the filter as a Parquet file."""
    return _download(request, data.engine, export_parquet, "parquet", "application/vnd.apache.parquet")


def _download(request: Request, engine: Engine, export: Export, ending: str, kind: str) -> Response:
    asked, _ignored = ProductQuery.parse(request.query_params.multi_items())
    name = f"cuvee-products-{datetime.now(UTC):%Y-%m-%d-%H%M}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(begun(export(engine, asked.filter, COLUMNS)), media_type=kind, headers=headers)


def begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, the first one read already: a refusal is still a page. Raises HTTPException 503 for one too many."""
    if not _places.acquire(blocking=False):
        raise HTTPException(
            HTTP_503_SERVICE_UNAVAILABLE, f"{AT_ONCE} exports are running already: try again in a minute."
        )
    # Not at its end, which does not come if nobody reads it to there.
    weakref.finalize(chunks, _places.release)
    return chain([next(chunks, b"")], chunks)
