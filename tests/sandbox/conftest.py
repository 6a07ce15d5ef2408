"""One sandbox for all tests of this package; each test switches the faults it needs, and all are off afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from include.sandbox.demo.demo_catalogue import DemoCatalogue
from include.sandbox.server import SandboxServer

FIRST_DAY = date(2026, 1, 5)


@pytest.fixture(scope="session")
def catalogue() -> DemoCatalogue:
    """Three drawn days, 5 to 7 January 2026."""
    return DemoCatalogue(FIRST_DAY, days=3)


@pytest.fixture(scope="session")
def running(catalogue: DemoCatalogue) -> Iterator[SandboxServer]:
    with SandboxServer(catalogue) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> Iterator[SandboxServer]:
    """The running sandbox, without faults, with an empty request log."""
    running.faults.replace([])
    running.log.clear()
    yield running
    running.faults.replace([])
