"""A server to ask and a client that asks it, for every test of the API sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.pipeline.source_access import http_limits
from include.settings import Settings
from include.sources.http import HttpClient
from include.storage.lake import Lake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        state_dir=tmp_path / "state",
        http_attempts=3,
        http_backoff_seconds=0,
        http_timeout_seconds=5,
        contact="tests@example.org",
    )


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the client of the test made between tries, in seconds."""
    return []


@pytest.fixture
def http(settings: Settings, pauses: list[float]) -> Iterator[HttpClient]:
    with HttpClient(http_limits(settings), allow_private_hosts=True, sleep=pauses.append) as client:
        yield client


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))
