"""The trained model with an empty lake and an empty warehouse for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from include.local.postgres import PostgresServer
from include.pipeline.daily.run_day import run_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.lake import Lake
from tests.fixtures.sharing import BuildOnce
from tests.fixtures.storage import new_database
from tests.fixtures.trained import FIRST_DAY, SOURCE
from tests.pipeline.prepared import Prepared
from tests.pipeline.relabelling.known_catalogue import versions_settings


def day_settings(model_home: Path, lake: Path, warehouse_url: str) -> Settings:
    """Settings of the day's tests; the shards are small, so that a day has several."""
    return Settings(state_dir=model_home, lake_url=str(lake), warehouse_url=SecretStr(warehouse_url), shard_size=40)


@pytest.fixture
def settings(model_home: Path, tmp_path: Path, warehouse_settings: Settings) -> Settings:
    return day_settings(model_home, tmp_path / "lake", warehouse_settings.warehouse_url.get_secret_value())


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake_root)


LabelDay = Callable[[str, Callable[[Path, str], Settings]], Prepared]


@pytest.fixture(scope="session")
def label_first_day(
    build_once: BuildOnce,
    postgres_server: PostgresServer,
    warehouse_template: str,
    connection: SourceConnection,
) -> LabelDay:
    """A function that labels the first day, once for each name.

    It does so under the settings that the given function makes of a lake and a warehouse's URL.
    """

    def label(name: str, settings_of: Callable[[Path, str], Settings]) -> Prepared:
        database = f"labelled_{name}"

        def run(folder: Path) -> None:
            _name, url = new_database(postgres_server, warehouse_template, database)
            run_day(SOURCE, FIRST_DAY, settings_of(folder / "lake", url), connection)

        return Prepared(build_once(f"labelled-{name}", run) / "lake", database, postgres_server)

    return label


@pytest.fixture(scope="session")
def labelled_day(model_home: Path, label_first_day: LabelDay) -> Prepared:
    """The first day, labelled: what tests start from that ask what comes after it."""
    return label_first_day("day", lambda lake, url: day_settings(model_home, lake, url))


@pytest.fixture(scope="session")
def labelled_by_first(two_versions: Path, label_first_day: LabelDay) -> Prepared:
    """The first day, labelled by version 1 of `two_versions`."""
    return label_first_day("by_first", lambda lake, url: versions_settings(two_versions, lake, url))


@pytest.fixture(scope="session")
def labelled_by_second(two_versions: Path, label_first_day: LabelDay) -> Prepared:
    """The first day, labelled by version 2 of `two_versions`."""
    return label_first_day("by_second", lambda lake, url: versions_settings(two_versions, lake, url, champion="2"))
