"""The sandbox as one application: both food APIs, their faults, and the switches for them."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import FastAPI

from include.sandbox.catalogue import FoodCatalogue
from include.sandbox.control import LoggedRequests, RequestLog, control_routes
from include.sandbox.edamam import edamam_routes
from include.sandbox.faults import Fault, Faults
from include.sandbox.openfoodfacts import openfoodfacts_routes
from include.sandbox.response_faults import ResponseFaults


def create_app(
    catalogue: FoodCatalogue,
    faults: Faults | Iterable[Fault | str] = (),
    *,
    log: RequestLog | None = None,
) -> FastAPI:
    """An ASGI application that serves a catalogue.

    `faults` are the faults switched on at first, e.g. `["rate_limit:first=2", "photo_webp"]`.
    Addresses of photos and next pages start with the address under which the request came. Files are read
    from the catalogue only, never from a path in a request.
    """
    active = faults if isinstance(faults, Faults) else Faults(faults)
    requests = log if log is not None else RequestLog()

    app = FastAPI(title="Cuvée sandbox", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(control_routes(catalogue, active, requests))
    app.include_router(openfoodfacts_routes(catalogue, active))
    app.include_router(edamam_routes(catalogue, active))
    app.add_middleware(ResponseFaults, faults=active)
    app.add_middleware(LoggedRequests, log=requests)
    return app
