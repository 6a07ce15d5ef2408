"""The DAGs in a real Airflow: API server, scheduler with LocalExecutor, DAG processor, triggerer, PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from include.local.airflow_api import AirflowApi, AirflowFailure
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


def ask_for_backfill(api: AirflowApi, first: date, last: date, *, dry_run: bool = False, **choices: Any) -> Any:
    """What the dialog of Airflow's UI sends, with its defaults unless another choice is made; Airflow's answer."""
    body = {
        "dag_id": "champagne_daily",
        "from_date": f"{first}T00:00:00.000Z",
        "to_date": f"{last}T23:59:59.000Z",
        "run_backwards": False,
        "reprocess_behavior": "none",
        "max_active_runs": 1,
        "run_on_latest_version": True,
        "dag_run_conf": None,
    }
    return api.request("POST", "backfills/dry_run" if dry_run else "backfills", body | choices)


def wait_for_backfill(daily_platform: Platform, first: date, last: date, begun: datetime) -> list[RunState]:
    """The successful runs of all days from `first` to `last`, each begun since a moment."""
    runs = daily_platform.api.wait_for_runs("champagne_daily", first, last, RUN_SECONDS)
    daily_platform.api.require_success(runs)
    assert all(run.started and run.started >= begun for run in runs)
    assert [run.run_id for run in runs] == [
        f"backfill__{first + timedelta(days=number)}T12:00:00+00:00" for number in range((last - first).days + 1)
    ]
    return runs


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
    path = f"dags/champagne_daily/dagRuns/{first_run.run_id}/taskInstances/edamam.validate/links"
    assert api.get(path)["extra_links"] == {"Validation report": f"plugin/cuvee/cuvee/validation/edamam/{FIRST_DAY}"}

    begun = datetime.now(UTC)
    ask_for_backfill(api, SECOND_DAY, THIRD_DAY, max_active_runs=3)
    wait_for_backfill(daily_platform, SECOND_DAY, THIRD_DAY, begun)

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


def end_backfills(api: AirflowApi) -> None:
    """End the backfills all of whose runs have ended, which Airflow notices some time later."""
    for backfill in api.get("backfills", dag_id="champagne_daily")["backfills"]:
        if backfill["completed_at"] is None:
            api.request("PUT", f"backfills/{backfill['id']}/cancel")


def test_each_choice_of_the_backfill_dialog_is_accepted_and_days_that_cannot_be_run_have_no_run(
    daily_platform: Platform, first_run: RunState
) -> None:
    api = daily_platform.api
    for backwards, reprocess, active in product((False, True), ("none", "failed", "completed"), (1, 3)):
        choices = {"run_backwards": backwards, "reprocess_behavior": reprocess, "max_active_runs": active}
        asked = ask_for_backfill(api, FIRST_DAY, FIRST_DAY, dry_run=True, **choices)
        assert asked["total_entries"] == 1
    before, after = daily_platform.settings.first_day - timedelta(days=9), THIRD_DAY + timedelta(days=9)
    end_backfills(api)
    for day in (before, after):
        assert ask_for_backfill(api, day, day, dry_run=True)["total_entries"] == 0
        with pytest.raises(AirflowFailure, match="No runs to create"):
            ask_for_backfill(api, day, day)


def test_a_backfill_backwards_with_one_run_at_a_time_does_not_wait_for_the_days_behind_it(
    daily_platform: Platform,
) -> None:
    api, begun = daily_platform.api, datetime.now(UTC)
    end_backfills(api)
    ask_for_backfill(api, SECOND_DAY, THIRD_DAY, run_backwards=True, reprocess_behavior="completed")
    second, third = wait_for_backfill(daily_platform, SECOND_DAY, THIRD_DAY, begun)
    assert third.ended is not None
    assert second.started is not None
    assert third.ended <= second.started
    assert all(task.try_number <= 2 for run in (second, third) for task in run.tasks), "the second try of each day"


def test_a_day_that_cannot_be_run_says_so_at_once_and_leaves_nothing(
    daily_platform: Platform, webhook: Webhook
) -> None:
    run_id = daily_platform.api.trigger("champagne_daily", {"day": "2099-01-01"})
    assert run_id.startswith("manual__2099-01-01__")
    run = daily_platform.api.wait_for_run("champagne_daily", run_id, RUN_SECONDS)
    failed = [task for task in run.tasks if task.state == "failed"]
    assert {task.task_id for task in failed} == {"openfoodfacts.fetch", "edamam.fetch", "digest"}
    for task in failed:
        assert task.try_number == 1
        assert f"{task.task_id} failed: 2099-01-01 has not begun yet" in daily_platform.api.task_log(run, task, lines=1)
    assert daily_platform.rows("SELECT source FROM batches WHERE day = '2099-01-01'") == []
    assert webhook.received == []


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


def test_the_event_of_the_labelled_table_says_what_came_of_which_batch(daily_platform: Platform) -> None:
    events = daily_platform.api.get("assets/events", order_by="-timestamp", limit=50)["asset_events"]
    of_batch = {"source": "openfoodfacts", "day": FIRST_DAY.isoformat()}.items()
    [labelled, *_], [validated, *_] = (
        [event["extra"] for event in events if event["uri"] == uri and event["extra"].items() >= of_batch]
        for uri in ("labelled_products", "products")
    )
    [batch] = daily_platform.rows(
        "SELECT received, quarantined, labelled, accepted, model_version FROM batches "
        "WHERE source = 'openfoodfacts' AND day = :day",
        day=FIRST_DAY,
    )
    counts = labelled["counts"] | validated["counts"]
    assert {name: counts[name] for name in ("received", "quarantined", "labelled", "accepted")} == {
        name: getattr(batch, name) for name in ("received", "quarantined", "labelled", "accepted")
    }
    assert labelled["model_version"] == batch.model_version
    assert labelled["report"] == validated["report"]
    assert Lake(daily_platform.settings.lake_root).exists(labelled["report"])
