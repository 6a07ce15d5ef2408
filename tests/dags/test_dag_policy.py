"""What every DAG of the project must have, so that the person on call is never left alone with one."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from include.settings import load_settings
from tests.conftest import PROJECT_ROOT
from tests.dags.conftest import DAGS_FOLDER, PLUGINS_FOLDER

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

EXPECTED_DAG_IDS = {"champagne_daily", "import_catalogue", "relabel_catalogue", "retrain_weekly"}
HEAVY_MODULES = {
    "pandas", "numpy", "pyarrow", "sklearn", "spacy", "tensorflow", "keras", "great_expectations", "mlflow",
    "PIL", "onnxruntime", "skimage", "scipy", "matplotlib", "fsspec",
}  # fmt: skip
SNAPSHOT = PROJECT_ROOT / "tests" / "dags" / "graph_snapshot.txt"


@pytest.fixture(params=sorted(EXPECTED_DAG_IDS))
def dag(request: pytest.FixtureRequest, dag_bag: DagBag) -> Any:
    return dag_bag.dags[request.param]


def test_exactly_the_expected_dags_are_found_without_import_errors(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == EXPECTED_DAG_IDS


def test_a_dag_tells_the_person_on_call_what_to_do_when_it_fails(dag: Any) -> None:
    assert "When it fails" in dag.doc_md
    assert "Owner" in dag.doc_md
    assert dag.tags


def validated(dag: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The params of a run with what a form sends, as the API server validates them."""
    from airflow.serialization.serialized_objects import DagSerialization

    copy = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    return dict(copy.params.deep_merge(given).validate())


def test_a_dag_and_each_of_its_params_say_what_they_are(dag: Any) -> None:
    assert dag.description
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.description.endswith("."), name
        assert param.schema["title"], name
        assert "e.g. " in param.description, f"{name} shows no example"
        if "string" in param.schema["type"]:
            assert "pattern" in param.schema or "enum" in param.schema, f"{name} takes any text"


@pytest.mark.parametrize(
    ("dag_id", "given"),
    [
        ("champagne_daily", {"day": "5.1.2026"}),
        ("champagne_daily", {"day": "2026-02-30"}),
        ("champagne_daily", {"allow_empty": "maybe"}),
        ("import_catalogue", {"path": " "}),
        ("import_catalogue", {"path": "/data/shop.csv", "source": "../lake"}),
        ("import_catalogue", {"path": "/data/shop.csv", "kind": "excel"}),
        ("relabel_catalogue", {"version": "newest"}),
        ("retrain_weekly", {"rollback_to": "-1"}),
        ("retrain_weekly", {"reason": " "}),
        ("retrain_weekly", {"day": "2026-01-05; DROP TABLE"}),
    ],
)
def test_a_param_of_another_form_is_refused_before_a_run_is_made(
    dag_bag: DagBag, dag_id: str, given: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="Invalid input for param"):
        validated(dag_bag.dags[dag_id], given)


@pytest.mark.parametrize(
    ("dag_id", "given"),
    [
        ("champagne_daily", {"day": "2026-01-05", "allow_empty": True}),
        ("import_catalogue", {"path": "/data/my shop.csv", "source": "corner_shop", "kind": "plain"}),
        ("relabel_catalogue", {"version": "3"}),
        ("retrain_weekly", {"rollback_to": "previous", "reason": "too many vinegars called wine", "approval": True}),
    ],
)
def test_the_examples_of_the_params_are_accepted(dag_bag: DagBag, dag_id: str, given: dict[str, Any]) -> None:
    assert validated(dag_bag.dags[dag_id], given).items() >= given.items()


def test_no_choice_of_the_backfill_dialog_is_refused_because_of_the_day_before(dag: Any) -> None:
    """Airflow refuses backwards, and missing days only, where a task depends on the past."""
    assert not any(task.depends_on_past for task in dag.tasks)


def test_every_dag_leads_to_the_pages(dag: Any) -> None:
    assert "[Cuvée pages](plugin/cuvee)" in dag.doc_md


def test_every_task_has_an_owner_retries_a_timeout_and_a_failure_callback(dag: Any) -> None:
    assert dag.tasks
    for task in dag.tasks:
        assert task.owner == "data-platform", task.task_id
        assert task.retries >= 1, task.task_id
        assert isinstance(task.execution_timeout, timedelta), task.task_id
        assert task.on_failure_callback, task.task_id
        assert task.retry_policy is not None, task.task_id


def test_a_dag_bounds_its_concurrent_runs(dag: Any) -> None:
    assert 1 <= dag.max_active_runs <= 3
    assert dag.catchup is False


def test_tasks_that_use_a_scarce_resource_name_a_pool_that_is_defined(dag_bag: DagBag) -> None:
    import yaml

    defined = {
        pool["pool_name"]
        for pool in yaml.safe_load((PROJECT_ROOT / "airflow_settings.yaml").read_text())["airflow"]["pools"]
    }
    used = {task.pool for dag in dag_bag.dags.values() for task in dag.tasks} - {"default_pool"}
    assert used <= defined
    daily = {task.task_id: task.pool for task in dag_bag.dags["champagne_daily"].tasks}
    assert daily["openfoodfacts.fetch"] == "food_api"
    assert daily["openfoodfacts.label_shard.embed_images"] == "photos"


def test_the_digest_runs_however_the_sources_end_and_a_failed_source_makes_the_run_red(dag_bag: DagBag) -> None:
    dag = dag_bag.dags["champagne_daily"]
    published = {f"{source}.publish" for source in load_settings().daily_sources}
    digest = dag.get_task("digest")
    assert digest.is_teardown, "it runs when a source failed, and the state of the run does not depend on it"
    assert not digest.on_failure_fail_dagrun
    assert digest.upstream_task_ids == published
    deciding = [
        task
        for task in dag.tasks
        if not task.is_teardown and all(dag.get_task(later).is_teardown for later in task.downstream_task_ids)
    ]
    assert [task.task_id for task in deciding] == ["retrain_early"]
    assert deciding[0].upstream_task_ids == published
    assert deciding[0].trigger_rule == "none_failed", "after a failed source it is upstream_failed, and the run failed"


def describe(bag: DagBag) -> str:
    """Every task, edge, schedule, pool and asset of every DAG as text, for review."""
    lines = []
    for dag_id, dag in sorted(bag.dags.items()):
        schedule = dag.timetable.summary if hasattr(dag.timetable, "summary") else dag.schedule
        if isinstance(schedule, list):
            schedule = ",".join(asset.uri for asset in schedule)
        lines.append(f"{dag_id}  schedule={schedule}")
        for task in sorted(dag.tasks, key=lambda task: task.task_id):
            outlets = ",".join(sorted(outlet.uri for outlet in task.outlets))
            mapped = "mapped" if task.is_mapped or task.get_closest_mapped_task_group() else "single"
            lines.append(
                f"  {task.task_id}  {mapped}  pool={task.pool}  trigger={task.trigger_rule}  outlets={outlets or '-'}"
                f"  after={','.join(sorted(task.upstream_task_ids)) or '-'}"
            )
    return "\n".join(lines) + "\n"


def test_the_graph_changes_only_where_a_reviewer_sees_it(dag_bag: DagBag) -> None:
    found = describe(dag_bag)
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(found)
        pytest.fail(f"{SNAPSHOT} was absent and is written now: read it and commit it")
    assert found == SNAPSHOT.read_text(), f"delete {SNAPSHOT} and run again to accept the new graph"


PARSE = """
import importlib, json, os, sys, time, warnings
warnings.simplefilter("ignore")
sys.path[:0] = [{root!r}, {dags!r}, {plugins!r}]
begun = time.process_time()
import airflow.sdk
basis, known = time.process_time() - begun, set(sys.modules)
for name in {names!r}:
    if os.fork() == 0:  # so that no file finds what another one has imported
        before = time.process_time()
        importlib.import_module(name)
        share = (time.process_time() - before) / basis
        print(json.dumps([name, share, sorted(m.split(".")[0] for m in set(sys.modules) - known)]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def parsed(airflow_home: Path) -> dict[str, list[tuple[float, set[str]]]]:
    """For each DAG file: CPU time of its import as a share of that of `airflow.sdk`, and what it imports; thrice."""
    script = PARSE.format(
        root=str(PROJECT_ROOT), dags=str(DAGS_FOLDER), plugins=str(PLUGINS_FOLDER), names=sorted(EXPECTED_DAG_IDS)
    )
    measured: dict[str, list[tuple[float, set[str]]]] = {}
    for _ in range(3):
        output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
        for line in output.stdout.splitlines():
            name, share, modules = json.loads(line)
            measured.setdefault(name, []).append((share, set(modules)))
    return measured


@pytest.mark.parametrize("name", sorted(EXPECTED_DAG_IDS))
def test_parsing_a_dag_file_is_quick_and_imports_nothing_heavy(
    name: str, parsed: dict[str, list[tuple[float, set[str]]]]
) -> None:
    assert len(parsed[name]) == 3
    for _share, modules in parsed[name]:
        assert modules & HEAVY_MODULES == set()
    # About 0.06; pandas alone would add 1.
    assert statistics.median(share for share, _modules in parsed[name]) < 0.2
