from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from include.errors import ConfigurationError
from include.pipeline.source_access import connection_from_settings
from include.settings import Settings
from include.sources import SOURCE_NAMES, get_source
from include.sources.connection import SourceConnection
from include.sources.landing import Landing
from include.storage.batch import Batch
from include.storage.lake import Lake


def test_the_known_sources_are_found_by_name() -> None:
    assert SOURCE_NAMES == ("openfoodfacts", "edamam")
    assert [get_source(name).name for name in SOURCE_NAMES] == list(SOURCE_NAMES)
    assert [get_source(name).incremental for name in SOURCE_NAMES] == [True, False]
    assert "Open Database Licence" in get_source("openfoodfacts").attribution
    assert "Edamam" in get_source("edamam").attribution


def test_an_unknown_source_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"'wikipedia'.*openfoodfacts, edamam"):
        get_source("wikipedia")
    with pytest.raises(ConfigurationError, match="wikipedia"):
        connection_from_settings("wikipedia", Settings())


@pytest.mark.parametrize("name", SOURCE_NAMES)
def test_reading_a_day_that_was_not_fetched_is_an_error_not_an_empty_day(name: str, tmp_path: Path) -> None:
    day = date(2026, 1, 1)
    with pytest.raises(Exception, match="fetch the day first"):
        list(get_source(name).read(day, Landing(Lake(str(tmp_path)), Batch(name, day))))


def test_credentials_come_from_the_settings_and_are_not_shown() -> None:
    settings = Settings(edamam_app_id=SecretStr("s3cret-id"), edamam_app_key=SecretStr("s3cret-key"))
    connection = connection_from_settings("edamam", settings)
    assert (connection.app_id, connection.app_key) == ("s3cret-id", "s3cret-key")
    assert "s3cret" not in repr(connection)


def test_open_food_facts_has_one_host_for_files_and_one_for_search() -> None:
    connection = connection_from_settings("openfoodfacts", Settings())
    assert connection.base_url == "https://static.openfoodfacts.org"
    assert connection.search_url == "https://world.openfoodfacts.org"
    assert not connection.allow_private_hosts


def test_one_address_serves_for_both_where_only_one_is_given() -> None:
    connection = SourceConnection("http://localhost:8099/off/")
    assert connection.base_url == connection.search_url == "http://localhost:8099/off"


@pytest.mark.parametrize("url", ["", "localhost", "ftp://x.org", "https://", "http://[::1", "http://h:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must look like"):
        SourceConnection(url)


def test_an_address_with_credentials_is_refused_without_repeating_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        SourceConnection("https://anna:s3cret@api.edamam.com")
    assert "s3cret" not in str(caught.value)
