"""Loads `airflow_settings.yaml` into any running Airflow: `python -m include.local.load_settings http://host:8080`.

User and password come from AIRFLOW_USERNAME and AIRFLOW_PASSWORD. What the file names is overwritten; what it
does not name is left alone. The local Airflow does this by itself when it starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from include.errors import CuveeError
from include.local.airflow_api import AirflowApi
from include.local.airflow_config import USERNAME, Login
from include.local.airflow_settings import AirflowObjects, read_airflow_settings
from include.settings import load_settings


def load(api: AirflowApi, objects: AirflowObjects) -> None:
    """Create or overwrite connections, pools and variables. Raises AirflowFailure if Airflow refuses one."""
    api.upsert("connections", objects.connections)
    api.upsert("pools", objects.pools)
    api.upsert("variables", objects.variables)


def main(arguments: Sequence[str]) -> int:
    """Load the project's file into the Airflow at the address given; the exit code."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    login = Login(os.environ.get("AIRFLOW_USERNAME", USERNAME), os.environ.get("AIRFLOW_PASSWORD", ""))
    try:
        load(AirflowApi(arguments[0], login), read_airflow_settings(load_settings(), os.environ))
    except CuveeError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
