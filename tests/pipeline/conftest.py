"""A trained model, a sandbox with three days of drawn products, and a fresh lake and warehouse for each test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from include.pipeline.import_catalogue import import_catalogue
from include.pipeline.train import train_model
from include.sandbox import DemoCatalogue, SandboxServer, write_demo_catalogue
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.warehouse.lake import Lake

FIRST_DAY = date(2026, 1, 5)
SECOND_DAY = FIRST_DAY + timedelta(days=1)
THIRD_DAY = FIRST_DAY + timedelta(days=2)
SOURCE = "openfoodfacts"


def url_of(engine: Engine) -> SecretStr:
    """The engine's URL with its password, as the settings want it."""
    return SecretStr(engine.url.render_as_string(hide_password=False))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(DemoCatalogue(FIRST_DAY, days=3)) as server:
        yield server


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory, session_warehouse: Engine) -> Path:
    """A state folder with a champion that was trained on the drawn catalogue."""
    home = tmp_path_factory.mktemp("trained")
    settings = Settings(state_dir=home, warehouse_url=url_of(session_warehouse), training_folds=2, text_dimensions=64)
    catalogue = write_demo_catalogue(tmp_path_factory.mktemp("catalogue"))
    import_catalogue(catalogue, FIRST_DAY - timedelta(days=1), settings, source="demo_catalogue")
    train_model(settings)
    return home


@pytest.fixture
def settings(model_home: Path, tmp_path: Path, warehouse: Engine) -> Settings:
    """The trained model with an empty lake and an empty warehouse."""
    return Settings(
        state_dir=model_home, lake_url=str(tmp_path / "lake"), warehouse_url=url_of(warehouse), shard_size=40
    )


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake_root)


@pytest.fixture(scope="session")
def connection(sandbox: SandboxServer) -> SourceConnection:
    return SourceConnection(
        base_url=sandbox.url, search_url=sandbox.url, app_id="sandbox", app_key="sandbox", allow_private_hosts=True
    )
