"""The sandbox's own routes: health, what was asked, and switching faults while it runs."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import requests

from include.sandbox.app import create_app
from include.sandbox.demo.demo_catalogue import DemoCatalogue
from include.sandbox.server import SandboxServer


def test_health_tells_the_days(server: SandboxServer) -> None:
    answer = requests.get(f"{server.url}/sandbox/health", timeout=10).json()
    assert answer == {"status": "ok", "first_day": "2026-01-05", "last_day": "2026-01-07"}


def test_faults_are_switched_while_it_runs(server: SandboxServer) -> None:
    wanted = {"faults": ["unavailable:first=1", "photo_webp:one_in=1"]}
    answer = requests.post(f"{server.url}/sandbox/faults", json=wanted, timeout=10)
    assert answer.json() == wanted == requests.get(f"{server.url}/sandbox/faults", timeout=10).json()
    assert requests.get(f"{server.url}/api/v2/search", timeout=10).status_code == 503
    requests.post(f"{server.url}/sandbox/faults", json={"faults": []}, timeout=10)
    assert requests.get(f"{server.url}/api/v2/search", timeout=10).status_code == 200


def test_an_unknown_fault_is_refused_with_the_known_ones(server: SandboxServer) -> None:
    answer = requests.post(f"{server.url}/sandbox/faults", json={"faults": ["rudeness"]}, timeout=10)
    assert answer.status_code == 422
    assert "rate_limit" in answer.json()["detail"]


def test_requests_are_counted_by_path_and_queries_are_not_kept(server: SandboxServer) -> None:
    url = f"{server.url}/api/food-database/v2/parser?app_id=a&app_key=secret-key&ingr=champagne"
    for _ in range(2):
        requests.get(url, timeout=10)
    assert server.log.counts() == {"/api/food-database/v2/parser": 2}
    assert "secret-key" not in requests.get(f"{server.url}/sandbox/requests", timeout=10).text


@pytest.mark.parametrize(("client", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403)])
def test_faults_are_switched_from_this_machine_only(catalogue: DemoCatalogue, client: str, status: int) -> None:
    async def switch() -> int:
        transport = httpx.ASGITransport(create_app(catalogue), client=(client, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            return (await http.post("/sandbox/faults", json={"faults": []})).status_code

    assert asyncio.run(switch()) == status
