"""An Airflow of the tests' own: its home is set before Airflow is imported, and removed afterwards."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROJECT_ROOT

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

DAGS_FOLDER = PROJECT_ROOT / "dags"
PLUGINS_FOLDER = PROJECT_ROOT / "plugins"


@pytest.fixture(scope="session")
def airflow_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cuvee-airflow-home-") as folder:
        os.environ["AIRFLOW_HOME"] = folder
        os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
        os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(PLUGINS_FOLDER)
        os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
        yield Path(folder)


@pytest.fixture(scope="session")
def dag_bag(airflow_home: Path) -> DagBag:
    """All DAGs of the project, parsed as the DAG processor parses them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own import warnings are not ours to mend
        from airflow.dag_processing.dagbag import BundleDagBag

        return BundleDagBag(dag_folder=DAGS_FOLDER, bundle_path=DAGS_FOLDER, bundle_name="dags-folder")
