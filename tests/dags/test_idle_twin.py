"""The DAG that the benchmark `airflow_overhead` compares with has the graph of the daily one, whatever that becomes."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.airflow_overhead import DAILY, IDLE, copy_dags, is_narrow, require_same_tasks


@pytest.fixture(scope="module")
def serialised(airflow_home: Path) -> dict[str, dict[str, Any]]:
    """Both DAGs as the scheduler reads them."""
    dags = airflow_home / "dags_with_twin"
    copy_dags(dags)
    path = list(sys.path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from airflow.dag_processing.dagbag import BundleDagBag
        from airflow.serialization.serialized_objects import DagSerialization

        try:
            bag = BundleDagBag(dag_folder=dags, bundle_path=dags, bundle_name="dags-folder")
        finally:
            sys.path[:] = path
            for name, module in list(sys.modules.items()):
                if str(getattr(module, "__file__", "")).startswith(str(dags)):
                    del sys.modules[name]  # other tests import the real ones
        assert bag.import_errors == {}
        return {dag_id: DagSerialization.serialize_dag(bag.dags[dag_id]) for dag_id in (DAILY, IDLE)}


def test_the_twin_differs_from_the_daily_dag_in_its_name_and_in_what_its_tasks_call(
    serialised: dict[str, dict[str, Any]],
) -> None:
    daily, idle = (comparable(serialised[dag_id], dag_id) for dag_id in (DAILY, IDLE))
    assert {task["__var"]["task_id"] for task in idle["tasks"]} > {"digest", "retrain_early", "edamam.fetch"}
    assert idle == daily


def comparable(dag: dict[str, Any], dag_id: str) -> dict[str, Any]:
    """A serialised DAG without its name, its file, and the name of each task's function."""
    text = json.dumps({key: value for key, value in dag.items() if key not in ("fileloc", "relative_fileloc")})
    content: dict[str, Any] = json.loads(text.replace(dag_id, "DAG"))
    for task in content["tasks"]:
        task["__var"]["python_callable_name"] = "function"
    return content


def test_no_task_of_the_twin_works(serialised: dict[str, dict[str, Any]]) -> None:
    assert {task["__var"]["python_callable_name"] for task in serialised[IDLE]["tasks"]} == {"do_nothing"}


def test_the_benchmark_refuses_a_twin_with_another_task() -> None:
    task = {"task_id": "fetch", "pool": "food_api", "downstream_task_ids": ["validate"]}
    require_same_tasks([task], [dict(task)])
    for other in ([], [task | {"pool": "default_pool"}], [task, task | {"task_id": "digest"}]):
        with pytest.raises(RuntimeError, match="is not the twin"):
            require_same_tasks([task], other)


def test_pairs_go_on_until_the_median_is_known_to_a_tenth() -> None:
    assert not is_narrow([1.2] * 5), "too few to know"
    assert not is_narrow([1.0, 1.1, 1.2, 1.3, 1.4, 1.5])
    assert is_narrow([1.19, 1.2, 1.2, 1.21, 1.22, 1.23])
