"""The application on a warehouse and a lake of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount

from include.pages.web.app import create_app
from include.settings import Settings
from tests.pages.web.hosts import SmallHost

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

ROOT = "http://pages.test/airflow/cuvee/"
"""Where a browser finds the pages; its requests never reach a network."""


@pytest.fixture
def host() -> SmallHost:
    """Who serves the pages."""
    return SmallHost()


@pytest.fixture
def application(host: SmallHost, warehouse_settings: Settings) -> FastAPI:
    """The pages of an empty warehouse and lake."""
    return create_app(host, warehouse_settings)


@pytest.fixture
def browse(application: FastAPI) -> Iterator[Callable[[str], TestClient]]:
    """A function that gives a client for an account; the pages are mounted below `/airflow/cuvee`."""
    clients: list[TestClient] = []
    outer = Starlette(routes=[Mount("/airflow/cuvee", application)])

    def client(account: str) -> TestClient:
        made = TestClient(outer, base_url="http://testserver/airflow/cuvee/", headers={"x-account": account})
        clients.append(made)
        return made

    yield client
    for made in clients:
        made.close()
    application.state.data.close()


@pytest.fixture
def viewer(browse: Callable[[str], TestClient]) -> TestClient:
    """A client of somebody who may look at everything."""
    return browse("viewer")


@pytest.fixture
def open_page(browser: Browser, viewer: TestClient) -> Iterator[Callable[..., Page]]:
    """A function that opens an address of the application; options are those of the browser's context."""
    contexts: list[BrowserContext] = []

    def answer(route: Route) -> None:
        found = viewer.get(route.request.url.removeprefix(ROOT))
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    def open_(address: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.route("**/*", answer)
        page = context.new_page()
        page.goto(f"{ROOT}{address}")
        return page

    yield open_
    for context in contexts:
        context.close()
