"""The command line, as a person and as a script use it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include.cli import app
from include.local.sandbox_process import SandboxProcess
from include.settings import Settings, load_settings
from tests.conftest import PROJECT_ROOT
from tests.fixtures.trained import FIRST_DAY

COMMANDS = (
    "up",
    "down",
    "status",
    "demo",
    "import",
    "train",
    "run-day",
    "sql",
    "export",
    "review",
    "sandbox",
    "settings",
)


@pytest.fixture
def runner(
    model_home: Path,
    sandbox: SandboxProcess,
    warehouse_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[CliRunner]:
    """Runs commands against a trained model, the sandbox, and an empty lake and warehouse."""
    environment = {
        "CUVEE_STATE_DIR": str(model_home),
        "CUVEE_LAKE_URL": str(tmp_path / "lake"),
        "CUVEE_WAREHOUSE_URL": warehouse_settings.warehouse_url.get_secret_value(),
        "CUVEE_OPENFOODFACTS_URL": sandbox.url,
        "CUVEE_EDAMAM_URL": sandbox.url,
        "CUVEE_EDAMAM_APP_ID": "sandbox",
        "CUVEE_EDAMAM_APP_KEY": "sandbox",
        "CUVEE_ALLOW_PRIVATE_HOSTS": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    yield CliRunner()
    load_settings.cache_clear()


def test_help_lists_every_command_with_a_sentence() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in COMMANDS:
        assert command in result.output
        page = CliRunner().invoke(app, [command, "--help"])
        assert page.exit_code == 0
        assert "Usage" in page.output


def test_a_day_is_run_queried_corrected_and_exported(runner: CliRunner, tmp_path: Path) -> None:
    ran = runner.invoke(app, ["run-day", FIRST_DAY.isoformat(), "--json"], catch_exceptions=False)
    assert ran.exit_code == 0
    summary = json.loads(ran.stdout)
    assert set(summary) == {"openfoodfacts", "edamam"}

    query = "select product_id from labelled_products where label <> 'juice' order by 1 limit 1"
    [row] = json.loads(runner.invoke(app, ["sql", query, "--json"], catch_exceptions=False).stdout)
    corrected = runner.invoke(app, ["review", row["product_id"], "juice", "--reviewer", "ana"], catch_exceptions=False)
    assert corrected.exit_code == 0
    counted = runner.invoke(
        app, ["sql", "select count(*) as n from labelled_products where decided_by = 'human'", "--json"]
    )
    assert json.loads(counted.stdout) == [{"n": 1}]

    target = tmp_path / "champagne.csv"
    assert runner.invoke(app, ["export", str(target)], catch_exceptions=False).exit_code == 0
    with target.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["foodId", "label", "category", "foodContentsLabel", "image"]
    assert len(rows) == 11


def test_progress_of_a_day_is_told_to_a_person(runner: CliRunner) -> None:
    ran = runner.invoke(app, ["run-day", FIRST_DAY.isoformat(), "--source", "edamam"], catch_exceptions=False)
    assert "edamam: fetch" in ran.output
    assert "edamam: publish" in ran.output


def run_in_a_process(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "include", *arguments],
        cwd=PROJECT_ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_an_expected_failure_is_one_message_without_a_traceback_and_exit_code_1(tmp_path: Path) -> None:
    failed = run_in_a_process(["sql", "select 1"], CUVEE_STATE_DIR=str(tmp_path))
    assert failed.returncode == 1
    assert "There is no warehouse yet" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_wrong_usage_is_exit_code_2() -> None:
    assert run_in_a_process(["run-day", "yesterday"]).returncode == 2
    assert run_in_a_process(["no-such-command"]).returncode == 2


def test_a_reader_that_closes_the_pipe_early_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m include settings --json | head -c 1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command], cwd=PROJECT_ROOT, env=os.environ | {"CUVEE_STATE_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr


def test_settings_are_listed_without_their_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = run_in_a_process(
        ["settings", "--json"], CUVEE_EDAMAM_APP_KEY="a-very-secret-key", CUVEE_STATE_DIR=str(tmp_path)
    )
    values = json.loads(shown.stdout)
    assert values["CUVEE_SHARD_SIZE"] == 5000
    assert "a-very-secret-key" not in shown.stdout
