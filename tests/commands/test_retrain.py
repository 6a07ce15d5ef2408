"""`retrain`, `rollback` and `check` as a person types them, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from include.models.version.registry import CHAMPION, Registry
from include.settings import Settings
from tests.conftest import PROJECT_ROOT
from tests.pipeline.retraining.test_steps import FIRST, SECOND, small


@pytest.fixture
def settings(
    warehouse_settings: Settings, tmp_path: Path, imported: Path, empty_registry: Callable[[Path], None]
) -> Settings:
    empty_registry(warehouse_settings.state_dir)
    shutil.copytree(imported, warehouse_settings.lake_root)
    return small(warehouse_settings, tmp_path)


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    given = {name: getattr(settings, name) for name in settings.model_fields_set - {"warehouse_url"}}
    environment = {f"CUVEE_{name.upper()}": str(value) for name, value in given.items()}
    environment["CUVEE_WAREHOUSE_URL"] = settings.warehouse_url.get_secret_value()
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "include", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_week_from_the_command_line_is_promoted_checked_and_not_repeated(settings: Settings) -> None:
    # Drawn products without photos decide nothing about behaviour: what must hold is what is said about it.
    first = run(settings, "retrain", "--day", FIRST.isoformat())
    assert first.returncode == 0, first.stderr[-2000:]
    assert "text: version 1, macro-F1" in first.stdout
    registry = Registry(settings.tracking_uri, settings.state_dir)
    verdict = "is champion now" if registry.alias(CHAMPION) == "1" else "was refused: behaviour"
    assert f"version 1 {verdict}" in first.stdout
    page = next(line for line in first.stdout.splitlines() if "reports/retraining/day=2026-01-11" in line)
    assert Path(page.split()[-1]).is_file(), "the whole address, to be opened as it is"

    idle = run(settings, "retrain", "--day", SECOND.isoformat(), "--json")
    assert idle.returncode == 0
    assert "no new labels" in json.loads(idle.stdout)["reason"]


def test_check_names_a_disagreement_and_a_rollback_mends_it(settings: Settings, model_home: Path) -> None:
    registry = Registry(settings.tracking_uri, settings.state_dir)
    trained = Registry(Settings(state_dir=model_home).tracking_uri, model_home).champion().path
    registry.register(trained, {}, {})
    registry.promote("1")
    before = run(settings, "check", "--json")
    assert before.returncode == 1
    problems = [found["problem"] for found in json.loads(before.stdout) if found["problem"]]
    assert any("no decision made it so" in problem and "rollback --to 1" in problem for problem in problems)

    mended = run(settings, "rollback", "--to", "1", "--reason", "write it down", "--by", "Ana", "--no-relabel")
    assert mended.returncode == 0, mended.stderr
    assert "version 1 is champion" in mended.stdout
    after = {found["what"]: found["problem"] for found in json.loads(run(settings, "check", "--json").stdout)}
    assert after["the alias champion follows the newest promotion"] == ""


def test_a_rollback_without_a_reason_or_without_a_champion_says_what_is_missing(settings: Settings) -> None:
    missing = run(settings, "rollback")
    assert missing.returncode == 2
    assert "--reason" in missing.stderr
    nowhere = run(settings, "rollback", "--reason", "try")
    assert nowhere.returncode == 1
    assert "there is no champion before" in nowhere.stderr
