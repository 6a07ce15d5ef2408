from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.local.airflow_settings import AirflowObjects, read_airflow_settings
from include.settings import Settings


def read(tmp_path: Path, text: str, **environment: str) -> AirflowObjects:
    path = tmp_path / "airflow_settings.yaml"
    path.write_text(text)
    return read_airflow_settings(Settings(state_dir=tmp_path), environment, path)


def test_the_projects_own_file_gives_the_connections_and_pools_that_the_dags_use(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, edamam_app_id="me", edamam_app_key="s3cret")
    objects = read_airflow_settings(settings, {})
    connections = {connection["connection_id"]: connection for connection in objects.connections}
    assert connections["openfoodfacts"]["host"] == settings.openfoodfacts_url
    assert json.loads(connections["openfoodfacts"]["extra"]) == {
        "search_url": settings.openfoodfacts_search_url,
        "allow_private_hosts": False,
    }
    assert connections["openfoodfacts"]["login"] is None
    assert connections["edamam"] | {"extra": None} == {
        "connection_id": "edamam", "conn_type": "http", "host": settings.edamam_url, "schema": None,
        "login": "me", "password": "s3cret", "port": None, "extra": None,
    }  # fmt: skip
    assert {pool["name"] for pool in objects.pools} == {"food_api", "photos", "embedding", "warehouse", "training"}
    assert "s3cret" not in repr(objects)


def test_in_the_sandbox_both_apis_have_its_address_and_photos_may_be_private(tmp_path: Path) -> None:
    objects = read_airflow_settings(Settings(state_dir=tmp_path), {}).with_sandbox("http://127.0.0.1:8099")
    for connection in objects.connections:
        assert connection["host"] == "http://127.0.0.1:8099"
        assert json.loads(connection["extra"]) == {"search_url": "http://127.0.0.1:8099", "allow_private_hosts": True}
    assert objects.connections[1]["login"]


def test_entries_are_skipped_as_the_astronomer_cli_skips_them(tmp_path: Path) -> None:
    objects = read(
        tmp_path,
        """
        airflow:
          connections:
            - conn_id:
              conn_type: http
          pools:
            - {pool_name: none, pool_slot: 0}
            - {pool_name: "", pool_slot: 3}
            - {pool_name: kept, pool_slot: 3}
          variables:
            - {variable_name: empty, variable_value: ""}
            - {variable_name: kept, variable_value: {a: [1, 2]}}
        """,
    )
    assert objects.connections == []
    assert [pool["name"] for pool in objects.pools] == ["kept"]
    assert objects.variables == [{"key": "kept", "value": '{"a": [1, 2]}'}]


def test_a_uri_counts_only_when_no_other_field_is_set(tmp_path: Path) -> None:
    entries = "{conn_id: a, conn_uri: 'postgresql://me:p%40ss@db.example:5432/wine'}"
    connection = read(tmp_path, f"airflow:\n  connections:\n    - {entries}").connections[0]
    assert (connection["conn_type"], connection["host"], connection["port"]) == ("postgresql", "db.example", 5432)
    assert (connection["login"], connection["password"], connection["schema"]) == ("me", "p@ss", "wine")
    entries = "{conn_id: a, conn_type: http, conn_host: h, conn_uri: 'postgresql://x/y'}"
    connection = read(tmp_path, f"airflow:\n  connections:\n    - {entries}").connections[0]
    assert (connection["conn_type"], connection["host"]) == ("http", "h")


def test_placeholders_come_from_settings_then_environment_then_default(tmp_path: Path) -> None:
    text = "airflow:\n  variables:\n    - {variable_name: a, variable_value: '%s'}"
    value = "${CUVEE_SEED}/${ELSEWHERE}/${ABSENT:-d}/${ALSO_ABSENT:-}"
    assert read(tmp_path, text % value, ELSEWHERE="e").variables[0]["value"] == "0/e/d/"


def test_an_unfilled_placeholder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ABSENT\} is neither a setting nor"):
        read(tmp_path, "airflow:\n  variables:\n    - {variable_name: a, variable_value: '${ABSENT}'}")


@pytest.mark.parametrize(
    "text",
    ["", "a: [", "- 1", "airflow:", "airflow:\n  pools: 3", "airflow:\n  pools: [1]",
     "airflow:\n  connections:\n    - {conn_id: a, conn_host: h}"],
)  # fmt: skip
def test_another_shape_is_refused_with_the_files_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"airflow_settings\.yaml"):
        read(tmp_path, text)
