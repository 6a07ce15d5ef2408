"""The DAGs in a real Airflow: API server, scheduler with LocalExecutor, DAG processor, triggerer, PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.local.airflow_api import AirflowApi
from include.local.airflow_runs import RunState
from include.pipeline.daily.run_day import run_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from tests.e2e.platform import RUN_SECONDS, Platform
from tests.fixtures.trained import FIRST_DAY, SECOND_DAY, THIRD_DAY
from tests.fixtures.webhook import Webhook
from tests.pipeline.state import differences, lake_state, warehouse_state

# With other tests on the same cores it takes several times as long as alone.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]
DATA_LAYERS = ("products", "quarantine", "images", "labels", "staging")
"""Embeddings are the same too, but packed into files by the task that computed them."""


def clear(api: AirflowApi, run: RunState, task_id: str) -> RunState:
    """Clear a task of a finished run and what follows it, as a person does; the run when it has ended again."""
    body = {
        "dry_run": False,
        "dag_run_id": run.run_id,
        "task_ids": [task_id],
        "only_failed": False,
        "include_downstream": True,
        "reset_dag_runs": True,
    }
    cleared = api.request("POST", f"dags/{run.dag_id}/clearTaskInstances", body)["task_instances"]
    assert task_id in {entry["task_id"] for entry in cleared}
    return api.wait_for_run(run.dag_id, run.run_id, RUN_SECONDS)


def finished_tasks(run: RunState) -> dict[str, str | None]:
    return {f"{task.task_id}[{task.map_index}]": task.state for task in run.tasks}


def test_days_run_through_the_rest_api_and_a_backfill_end_as_they_do_without_airflow(
    daily_platform: Platform,
    first_run: RunState,
    connection: SourceConnection,
    model_home: Path,
    tmp_path: Path,
    warehouse_settings: Settings,
) -> None:
    api = daily_platform.api
    api.require_success([first_run])
    states = finished_tasks(first_run)
    assert states["openfoodfacts.publish[-1]"] == "success"
    assert states["openfoodfacts.label_shard.classify[1]"] == "success", "the day has several shards"
    assert (states["digest[-1]"], states["retrain_early[-1]"]) == ("success", "success")

    api.create_backfill("champagne_daily", SECOND_DAY, THIRD_DAY)
    runs = api.wait_for_runs("champagne_daily", SECOND_DAY, THIRD_DAY, RUN_SECONDS)
    api.require_success(runs)
    assert len(runs) == 2

    alone = daily_platform.settings.model_copy(
        update={
            "state_dir": model_home,
            "lake_url": str(tmp_path / "lake"),
            "warehouse_url": warehouse_settings.warehouse_url,
        }
    )
    for day in (FIRST_DAY, SECOND_DAY, THIRD_DAY):
        for source in ("openfoodfacts", "edamam"):
            run_day(source, day, alone, connection)
    with (
        open_engine(alone.warehouse_dsn) as alone_engine,
        open_engine(daily_platform.settings.warehouse_dsn) as airflow_engine,
    ):
        assert differences(warehouse_state(airflow_engine), warehouse_state(alone_engine)) == []
    assert lake_state(Lake(daily_platform.settings.lake_root), DATA_LAYERS) == lake_state(
        Lake(alone.lake_root), DATA_LAYERS
    )


def test_a_day_with_nothing_new_succeeds_and_skips_the_labelling(daily_platform: Platform) -> None:
    api = daily_platform.api
    run = api.wait_for_run("champagne_daily", api.trigger("champagne_daily", {"day": "2026-01-03"}), RUN_SECONDS)
    api.require_success([run])
    assert finished_tasks(run)["openfoodfacts.label_shard.classify[-1]"] == "skipped"
    [batch] = daily_platform.rows(
        "SELECT status, labelled FROM batches WHERE source = 'openfoodfacts' AND day = '2026-01-03'"
    )
    assert batch.labelled == 0


def test_a_run_with_a_failed_source_is_red_and_one_digest_tells_why(
    daily_platform: Platform, first_run: RunState, webhook: Webhook
) -> None:
    api = daily_platform.api
    api.require_success([first_run])
    with daily_platform.nameless_landing("openfoodfacts", FIRST_DAY):
        run_id = api.trigger("champagne_daily", {"day": FIRST_DAY.isoformat()})
        run = api.wait_for_run("champagne_daily", run_id, RUN_SECONDS)
        for again in (False, True):
            if again:
                run = clear(api, run, "openfoodfacts.validate")
            states = finished_tasks(run)
            assert run.state == "failed"
            assert states["openfoodfacts.validate[-1]"] == "failed"
            assert states["edamam.publish[-1]"] == "success"
            assert states["digest[-1]"] == "success"
            assert states["retrain_early[-1]"] == "upstream_failed"
    ((_path, _headers, message),) = webhook.received
    assert FIRST_DAY.isoformat() in message["title"]
    assert "openfoodfacts: failed at validate." in message["message"]


def test_a_digest_that_nobody_takes_leaves_the_day_published_and_green(
    daily_platform: Platform, webhook: Webhook
) -> None:
    webhook.answer = 500
    lake = Lake(daily_platform.settings.lake_root)
    marker = f"reports/digests/day={FIRST_DAY.isoformat()}.json"
    lake.delete(marker)
    run_id = daily_platform.api.trigger("champagne_daily", {"day": FIRST_DAY.isoformat()})
    run = daily_platform.api.wait_for_run("champagne_daily", run_id, RUN_SECONDS)
    daily_platform.api.require_success([run])
    [batch] = daily_platform.rows(
        "SELECT status, warnings FROM batches WHERE source = 'openfoodfacts' AND day = :day", day=FIRST_DAY
    )
    assert batch.status == "published"
    assert batch.warnings, "there was something to tell"
    assert finished_tasks(run)["digest[-1]"] == "failed"
    assert not lake.exists(marker)


def test_a_refused_catalogue_is_red_at_once_and_its_reason_stands_in_batches(
    daily_platform: Platform, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text("id,name,category\n1,Tea,juice\n2,Coffee\n")
    api = daily_platform.api
    run_id = api.trigger("import_catalogue", {"path": str(broken), "day": FIRST_DAY.isoformat()})
    run = api.wait_for_run("import_catalogue", run_id, RUN_SECONDS)
    assert run.state == "failed"
    assert [task.try_number for task in run.tasks] == [1], "the same file would be refused again: no retry"
    [batch] = daily_platform.rows("SELECT status, error FROM batches WHERE source = 'broken'")
    assert batch.status == "failed"
    assert "3" in batch.error, "the line is named"


def test_the_event_of_the_labelled_table_names_source_and_day(daily_platform: Platform) -> None:
    events = daily_platform.api.get("assets/events", order_by="-timestamp", limit=50)["asset_events"]
    published = [event["extra"] for event in events if event["uri"].endswith("labelled_products")]
    assert {"source": "openfoodfacts", "day": FIRST_DAY.isoformat()} in [
        {key: extra.get(key) for key in ("source", "day")} for extra in published
    ]
