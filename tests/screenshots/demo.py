"""A demo in a folder of its own, with a refused day where one is wanted, for pictures of the pages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from include.commands.demo import DAYS, FIRST_DAY
from include.local.airflow import LocalAirflow
from include.local.postgres import PostgresServer
from include.settings import PROJECT_ROOT, Settings
from tests.e2e.platform import RUN_SECONDS, Platform
from tests.fixtures.storage import free_port

REFUSED_DAY = FIRST_DAY + timedelta(days=DAYS - 1)


@contextmanager
def running_demo(folder: Path) -> Iterator[Platform]:
    """A block in which `make demo` has run in a state folder.

    A folder with a demo in it is used as it is.
    """
    names = ("airflow_port", "postgres_port", "sandbox_port")
    ports = folder / "ports"
    if not ports.exists():
        ports.write_text(" ".join(str(free_port()) for _ in names))
    chosen = dict(zip(names, map(int, ports.read_text().split()), strict=True))
    settings = Settings(state_dir=folder, airflow_accounts=("ines:viewer",), **chosen)
    environment = os.environ | {
        "CUVEE_STATE_DIR": str(folder),
        "CUVEE_AIRFLOW_ACCOUNTS": "ines:viewer",
        **{f"CUVEE_{name.upper()}": str(port) for name, port in chosen.items()},
    }

    def run(command: str) -> None:
        subprocess.run([sys.executable, "-m", "include", command], env=environment, cwd=PROJECT_ROOT, check=True)

    run("demo")
    airflow = LocalAirflow(settings, PostgresServer(settings))
    platform = Platform(settings, airflow, airflow.api())
    try:
        yield platform
    finally:
        run("down")


def refuse_a_day(platform: Platform) -> None:
    """Run the last day of the demo again with nameless products, which validation refuses."""
    with platform.nameless_landing("openfoodfacts", REFUSED_DAY):
        run_id = platform.api.trigger("champagne_daily", {"day": REFUSED_DAY.isoformat()})
        platform.api.wait_for_run("champagne_daily", run_id, RUN_SECONDS)
