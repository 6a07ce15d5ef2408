"""The Airflow of the test run with a champion and the first day done, for the tests of days and of pages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from include.local.airflow_runs import RunState
from include.local.sandbox_process import SandboxProcess
from tests.e2e.platform import RUN_SECONDS, Platform
from tests.fixtures.airflow import RunningAirflow
from tests.fixtures.trained import FIRST_DAY


@pytest.fixture(scope="session")
def daily_platform(running_airflow: RunningAirflow, model_home: Path, sandbox: SandboxProcess) -> Platform:
    """Airflow with the registry of `model_home`, and the DAGs of days and imports switched on."""

    def put_registry(state: Path) -> None:
        (state / "mlflow").mkdir()
        shutil.copy(model_home / "mlflow" / "mlflow.db", state / "mlflow" / "mlflow.db")

    api = running_airflow.begin(put_registry, ["champagne_daily", "import_catalogue"], sandbox.url)
    return Platform(running_airflow.settings, running_airflow.airflow, api)


@pytest.fixture(scope="session")
def first_run(daily_platform: Platform) -> RunState:
    """The finished run of the first day."""
    run_id = daily_platform.api.trigger("champagne_daily", {"day": FIRST_DAY.isoformat()})
    return daily_platform.api.wait_for_run("champagne_daily", run_id, RUN_SECONDS)
