"""`check` looks at the bucket of a lake on S3, and sets its upload rule when told to."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import Result
from typer.testing import CliRunner

from include.cli import app
from include.errors import ConfigurationError
from include.settings import Settings, load_settings


@pytest.fixture
def on_s3(warehouse_settings: Settings, s3_lake_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUVEE_STATE_DIR", str(warehouse_settings.state_dir))
    monkeypatch.setenv("CUVEE_WAREHOUSE_URL", warehouse_settings.warehouse_url.get_secret_value())
    monkeypatch.setenv("CUVEE_LAKE_URL", s3_lake_url)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def check(*options: str) -> Result:
    return CliRunner().invoke(app, ["check", *options])


def problems(result: Result) -> dict[str, str]:
    return {finding["what"]: finding["problem"] for finding in json.loads(result.stdout)}


def test_the_bucket_is_looked_at_and_the_rule_is_set_when_asked_for(on_s3: None) -> None:
    bare = check("--json")
    assert bare.exit_code == 1
    found = problems(bare)
    assert "check --set-upload-rule" in found["unfinished uploads are removed"]
    assert found["the alias champion follows the newest promotion"] == ""
    assert problems(check("--set-upload-rule", "--json"))["unfinished uploads are removed"] == ""
    assert "is there already" in check("--set-upload-rule").stdout


def test_a_bucket_that_is_not_there_is_the_only_finding(on_s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUVEE_LAKE_URL", "s3://no-such-bucket/lake")
    load_settings.cache_clear()
    result = check("--json")
    assert result.exit_code == 1
    [problem] = problems(result).values()
    assert "there is no such bucket" in problem


def test_a_lake_in_a_folder_has_no_bucket_to_set_up(on_s3: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUVEE_LAKE_URL")
    load_settings.cache_clear()
    assert not any("bucket" in what for what in problems(check("--json")))
    refused = check("--set-upload-rule")
    assert isinstance(refused.exception, ConfigurationError)
