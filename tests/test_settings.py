"""Settings come from the environment, and a wrong one says which it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _read_again() -> Iterator[None]:
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def test_a_wrong_value_names_its_variable_and_not_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUVEE_SHARD_SIZE", "many-secrets")
    with pytest.raises(ConfigurationError, match="CUVEE_SHARD_SIZE") as failure:
        load_settings()
    assert "many-secrets" not in str(failure.value)


def test_lists_are_separated_by_commas_and_an_empty_day_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUVEE_DAILY_SOURCES", "openfoodfacts, edamam,")
    monkeypatch.setenv("CUVEE_LAST_DAY", "")
    settings = load_settings()
    assert settings.daily_sources == ("openfoodfacts", "edamam")
    assert settings.last_day is None
    assert Settings(last_day=date(2026, 1, 7)).last_day == date(2026, 1, 7)


def test_secrets_are_masked_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUVEE_EDAMAM_APP_KEY", "a-very-secret-key")
    settings = load_settings()
    assert "a-very-secret-key" not in repr(settings)
    assert "a-very-secret-key" not in settings.model_dump_json()


def test_the_lake_is_below_the_state_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert Settings(state_dir=tmp_path).lake_root == str(tmp_path / "lake")
    assert Settings(state_dir=tmp_path, lake_url="s3://wine/lake").lake_root == "s3://wine/lake"
