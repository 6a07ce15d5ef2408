"""Every route asks for a right; whoever lacks it is refused with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from include.pages.web.access import Require
from include.pages.web.host import Right
from tests.pages.web.hosts import RIGHTS

EXAMPLES = {
    "name": "pages.css",
    "dag_id": "champagne_daily",
    "run_id": "manual__1",
    "product_id": "openfoodfacts:1",
    "source": "openfoodfacts",
    "day": "2026-01-05",
    "path": "reports/validation/index.html",
    "kind": "products",
}
"""A value for each parameter of a path."""


def required(dependant: Dependant) -> Iterator[Right]:
    """The rights that a route and what it depends on ask for."""
    if isinstance(dependant.call, Require):
        yield dependant.call.right
    for inner in dependant.dependencies:
        yield from required(inner)


def pages(application: FastAPI) -> list[tuple[str, str, set[Right]]]:
    """Method, address and rights of every route."""
    found = []
    for route in application.routes:
        assert isinstance(route, APIRoute), f"{route} has no login: serve it by a router of `router_for`"
        address = route.path
        for name, value in EXAMPLES.items():
            address = address.replace(f"{{{name}}}", value).replace(f"{{{name}:path}}", value)
        assert "{" not in address, f"give {route.path} an example"
        found += [(method, address.lstrip("/"), set(required(route.dependant))) for method in sorted(route.methods)]
    return found


def test_every_route_asks_for_a_right(application: FastAPI) -> None:
    assert [page for page in pages(application) if not page[2]] == []


def test_nobody_without_a_login_gets_an_answer(application: FastAPI, browse: Callable[[str], TestClient]) -> None:
    client = browse("nobody")
    for method, address, _ in pages(application):
        assert client.request(method, address).status_code == 401, address


def test_whoever_lacks_a_right_is_refused_and_told_whom_to_ask(
    application: FastAPI, browse: Callable[[str], TestClient]
) -> None:
    for account, rights in RIGHTS.items():
        client = browse(account)
        for method, address, needed in pages(application):
            answer = client.request(method, address)
            if needed <= rights:
                assert answer.status_code not in (401, 403), (account, method, address)
            else:
                assert answer.status_code == 403, (account, method, address)
                assert "ask an administrator" in answer.text


def test_every_answer_forbids_what_is_not_ours(viewer: TestClient) -> None:
    for address in ("", "assets/pages.js", "no-such-page"):
        headers = viewer.get(address).headers
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
