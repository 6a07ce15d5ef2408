"""The sandbox's own routes: whether it is up, what it was asked, and its faults, for this machine only."""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter
from collections.abc import Mapping

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict
from starlette.types import ASGIApp, Receive, Scope, Send

from include.errors import ConfigurationError
from include.sandbox.catalogue import FoodCatalogue
from include.sandbox.faults import Faults

_LARGEST_COUNT = 100_000


class RequestLog:
    """How often each path was asked for; queries are left out, since they carry credentials."""

    def __init__(self) -> None:
        """An empty log."""
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, path: str) -> None:
        """Count one request; after 100,000 different paths new ones are no longer counted."""
        with self._lock:
            if path in self._counts or len(self._counts) < _LARGEST_COUNT:
                self._counts[path] += 1

    def counts(self) -> Mapping[str, int]:
        """Requests by path since the start, or since `clear`."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._counts.clear()


class LoggedRequests:
    """ASGI layer that counts every request to the food APIs, answered or not."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        """Wrap an application."""
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count and pass on."""
        if scope["type"] == "http" and not scope["path"].startswith("/sandbox/"):
            self._log.add(scope["path"])
        await self._app(scope, receive, send)


class FaultsWanted(BaseModel):
    """Body of `POST /sandbox/faults`."""

    model_config = ConfigDict(extra="forbid")

    faults: list[str]
    """As `Fault.parse` reads them; an empty list switches all off."""


def _refuse_strangers(request: Request) -> None:
    try:
        local = request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise HTTPException(403, "faults are switched from this machine only")


def control_routes(catalogue: FoodCatalogue, faults: Faults, log: RequestLog) -> APIRouter:
    """The routes below `/sandbox`."""
    routes = APIRouter(prefix="/sandbox")

    @routes.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "first_day": f"{catalogue.first_day}", "last_day": f"{catalogue.last_day}"}

    @routes.get("/requests")
    def requests() -> Mapping[str, int]:
        return log.counts()

    @routes.get("/faults")
    def show() -> dict[str, list[str]]:
        return {"faults": [str(fault) for fault in faults]}

    @routes.post("/faults")
    def switch(request: Request, wanted: FaultsWanted) -> dict[str, list[str]]:
        _refuse_strangers(request)
        try:
            faults.replace(wanted.faults)
        except ConfigurationError as error:
            raise HTTPException(422, str(error)) from error
        return {"faults": [str(fault) for fault in faults]}

    return routes
