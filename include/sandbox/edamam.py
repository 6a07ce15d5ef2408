"""What the Edamam food database serves: the parser, 20 hints a page, with a next link that carries the keys."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from include.plain_words import plain_words
from include.sandbox.catalogue import FoodCatalogue, Record, host_of, with_host
from include.sandbox.faults import Faults
from include.sandbox.record_faults import spoil_hints

HINTS_PER_PAGE = 20
_SESSION_STEP = 2 * HINTS_PER_PAGE
"""The first answer of the real API links to `session=40`; the number has a meaning for the server only."""


def _matches(hint: Record, words: list[str]) -> bool:
    food = hint["food"]
    texts = (food.get(key) for key in ("label", "knownAs", "brand", "foodContentsLabel"))
    text = plain_words(" ".join(text for text in texts if isinstance(text, str)))
    return all(f" {word} " in text for word in words)


def edamam_routes(catalogue: FoodCatalogue, faults: Faults) -> APIRouter:
    """The route of the parser; any non-empty pair of credentials is accepted."""
    routes = APIRouter()

    @routes.get("/api/food-database/v2/parser")
    def parser(request: Request, app_id: str = "", app_key: str = "", ingr: str = "", session: int = 0) -> Response:
        if not app_id or not app_key:
            return JSONResponse({"status": "error", "message": "Unauthorized app_id = " + app_id}, status_code=401)
        words = plain_words(ingr).split()
        if not words:
            problem = {"errorCode": "missing_parameter", "message": "ingr or upc is required", "params": ["ingr"]}
            return JSONResponse([problem], status_code=400)
        found = [hint for hint in catalogue.edamam_hints() if _matches(hint, words)]
        start = max(0, session) // _SESSION_STEP * HINTS_PER_PAGE
        shown = [with_host(hint, host_of(request)) for hint in found[start : start + HINTS_PER_PAGE]]
        hints = spoil_hints(shown, faults, request.url.path)
        exact = [{"food": hint["food"]} for hint in shown if plain_words(hint["food"].get("label")).split() == words]
        links = {}
        if start + HINTS_PER_PAGE < len(found):
            following = (start // HINTS_PER_PAGE + 1) * _SESSION_STEP
            query = urlencode({"session": following, "app_key": app_key, "app_id": app_id, "ingr": ingr})
            links = {"next": {"title": "Next page", "href": f"{host_of(request)}{request.url.path}?{query}"}}
        return JSONResponse({"text": ingr, "parsed": exact[:1], "hints": hints, "_links": links})

    return routes
