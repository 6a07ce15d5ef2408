"""A model version is found by its number, read once, and again when its files have changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from include.errors import ConfigurationError, NoChampionError
from include.models.version.registry import Registry
from include.pipeline.model_versions import load_version, version_folder
from include.settings import Settings


@pytest.fixture
def registered(model_home: Path, tmp_path: Path, empty_registry: Callable[[Path], None]) -> Settings:
    """Settings of a registry of its own, whose version 1 may be damaged."""
    empty_registry(tmp_path)
    settings = Settings(state_dir=tmp_path)
    trained = Settings(state_dir=model_home)
    champion = Registry(trained.tracking_uri, model_home).champion()
    Registry(settings.tracking_uri, tmp_path).register(champion.path, metrics={}, params={})
    return settings


def test_a_version_is_read_once(settings: Settings) -> None:
    assert load_version("1", settings) is load_version("1", settings)


def test_a_version_that_was_damaged_or_removed_meanwhile_is_not_used(registered: Settings) -> None:
    load_version("1", registered)
    folder = version_folder("1", registered)
    for path in folder.glob("*.npz"):
        path.write_bytes(b"")
    with pytest.raises(NoChampionError):
        load_version("1", registered)
    shutil.rmtree(folder)
    with pytest.raises(NoChampionError):
        load_version("1", registered)


def test_a_number_that_no_version_has_is_an_error(registered: Settings) -> None:
    with pytest.raises(ConfigurationError, match="no version 9"):
        load_version("9", registered)
