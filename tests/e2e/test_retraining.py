"""Three weeks of a champion's life in a real Airflow, on real products: promoted, replaced, defended, taken back."""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from include.local.airflow_api import AirflowApi
from include.local.airflow_runs import RunState
from include.local.sandbox_process import SandboxProcess
from include.models.version.registry import CHAMPION, Registry
from include.pipeline.check import check
from include.pipeline.daily.run_day import run_day
from include.pipeline.import_catalogue import import_catalogue
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.warehouse.engine import open_engine
from tests.fixtures.airflow import RunningAirflow
from tests.fixtures.trained import FIRST_DAY

# With other tests on the same cores it takes several times as long as alone.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

RUN_SECONDS = 900.0
READING_SECONDS = 5.0
"""What a person takes at least to read the comparison."""
WEEKS = (date(2026, 1, 11), date(2026, 1, 18), date(2026, 1, 25))
CATEGORY = "product_category_tree"


@dataclass
class Platform:
    """A running Airflow, its settings, and the real catalogue cut in two."""

    settings: Settings
    api: AirflowApi
    header: list[str]
    halves: tuple[list[list[str]], list[list[str]]]
    folder: Path

    def deliver(self, day: date, rows: list[list[str]]) -> None:
        """Import rows of the catalogue as that day's delivery."""
        path = self.folder / f"{day}" / "flipkart.csv"
        path.parent.mkdir()
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([self.header, *rows])
        import_catalogue(path, day, self.settings, source="flipkart", kind="flipkart")

    def retrain(self, **params: Any) -> RunState:
        """Trigger a retraining by hand and wait for its end; it must be green."""
        run_id = self.api.trigger("retrain_weekly", params)
        if params.get("approval"):
            self.answer(run_id, "Approve")
        run = self.api.wait_for_run("retrain_weekly", run_id, RUN_SECONDS)
        self.api.require_success([run])
        return run

    def answer(self, run_id: str, option: str) -> None:
        """Answer as a person does under Required Actions, whenever the question is there, until the run has ended."""
        path = f"dags/retrain_weekly/dagRuns/{run_id}/taskInstances/approve/-1/hitlDetails"
        was_asked = False
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            run = self.api.run("retrain_weekly", run_id)
            if run.is_finished:
                assert was_asked, [(task.task_id, task.state) for task in run.tasks]
                return
            if any(task.task_id == "approve" and task.state == "awaiting_input" for task in run.tasks):
                # Airflow asks again when it hears the answer before it hears that the asking process has ended.
                time.sleep(READING_SECONDS)
                question = self.api.get(path)
                assert "macro-F1" in question["body"], "the comparison is shown to the person"
                if not question["response_received"]:
                    self.api.request("PATCH", path, {"chosen_options": [option], "params_input": {}})
                    was_asked = True
            time.sleep(1)
        raise AssertionError("nobody was asked, or no answer was heard")

    def wait_for_relabelling(self, version: str) -> None:
        """Wait until every product is labelled by a version, without having asked for it."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            if self.rows("SELECT DISTINCT model_version FROM labelled_products") == [(version,)]:
                return
            time.sleep(2)
        found = self.rows("SELECT model_version, count(*) FROM labelled_products GROUP BY 1")
        raise AssertionError(f"the catalogue was not labelled by version {version}: {found}")

    def wait_for_event(self, asset: str, dag_id: str, **extra: str) -> None:
        """Wait until a DAG has announced a change of an asset with what is given."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            events = self.api.get("assets/events", source_dag_id=dag_id, limit=100)["asset_events"]
            found = [event["extra"] for event in events if event["uri"] == asset]
            if any(event.items() >= extra.items() and event["counts"]["relabelled"] for event in found):
                return
            time.sleep(2)
        raise AssertionError(f"{dag_id} announced no such change of {asset}: {found}")

    def champion(self) -> str | None:
        """Number of the champion in the registry."""
        return Registry(self.settings.tracking_uri, self.settings.state_dir).alias(CHAMPION)

    def rows(self, query: str) -> list[Any]:
        """Rows of the warehouse."""
        with open_engine(self.settings.warehouse_dsn) as engine, engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query)).all()]


def states(run: RunState) -> dict[str, str | None]:
    return {task.task_id: task.state for task in run.tasks}


@pytest.fixture(scope="module")
def platform(
    running_airflow: RunningAirflow,
    empty_registry: Callable[[Path], None],
    shared_data: Path,
    sandbox: SandboxProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Platform:
    with (shared_data / "flipkart" / "flipkart_com-ecommerce_sample.csv").open(newline="", encoding="utf-8") as stream:
        header, *rows = list(csv.reader(stream))
    # The first half has the departments up to the middle: the second brings what no model has seen.
    rows.sort(key=lambda row: row[header.index(CATEGORY)])
    halves = (rows[: len(rows) // 2], rows[len(rows) // 2 :])
    dag_ids = ["champagne_daily", "retrain_weekly", "relabel_catalogue"]
    api = running_airflow.begin(empty_registry, dag_ids, sandbox.url)
    return Platform(running_airflow.settings, api, header, halves, tmp_path_factory.mktemp("deliveries"))


def test_three_weeks_promote_promote_and_refuse_and_a_rollback_is_followed_by_the_labels(
    platform: Platform, connection: SourceConnection
) -> None:
    platform.deliver(date(2026, 1, 5), platform.halves[0])
    first = platform.retrain(day=WEEKS[0].isoformat())
    assert states(first)["announce_champion"] == "success"
    assert platform.champion() == "1"
    run_day("openfoodfacts", FIRST_DAY, platform.settings, connection)

    platform.deliver(date(2026, 1, 12), platform.halves[1])
    second = platform.retrain(day=WEEKS[1].isoformat(), approval=True)
    assert states(second)["announce_champion"] == "success"
    assert platform.champion() == "2"
    platform.wait_for_relabelling("2")
    platform.wait_for_event("labelled_products", "relabel_catalogue", model_version="2")

    place = platform.header.index(CATEGORY)
    shuffled = [row[place] for row in platform.halves[1]]
    random.Random(0).shuffle(shuffled)
    wrong = [[*row[:place], label, *row[place + 1 :]] for row, label in zip(platform.halves[1], shuffled, strict=True)]
    platform.deliver(date(2026, 1, 19), wrong)
    third = platform.retrain(day=WEEKS[2].isoformat())
    assert states(third)["announce_champion"] == "skipped"
    assert platform.champion() == "2"

    idle = platform.retrain(day=WEEKS[2].isoformat())
    assert states(idle)["plan"] == "skipped", "no new labels"

    decisions = platform.rows(
        "SELECT candidate_version, champion_version, promoted, decided_by, reason FROM promotions ORDER BY promotion_id"
    )
    assert [row[:4] for row in decisions] == [
        ("1", None, True, "gate"), ("2", "1", True, "admin"), ("3", "2", False, "gate"),
    ]  # fmt: skip
    assert "gold labels as they were" in decisions[2][4]

    back = platform.retrain(rollback_to="previous", reason="the buyers complain")
    assert states(back)["plan"] == "skipped"
    assert platform.champion() == "1"
    platform.wait_for_relabelling("1")
    labelled = platform.api.get("dags/relabel_catalogue/dagRuns/~/taskInstances", task_id="relabel_shard", limit=100)
    assert max(task["map_index"] for task in labelled["task_instances"]) >= 1, "in several shards"
    [rolled_back] = platform.rows(
        "SELECT candidate_version, reason, decided_by FROM promotions WHERE kind = 'rollback'"
    )
    assert rolled_back == ("1", "the buyers complain", "admin")
    assert [one.problem for one in check(platform.settings)] == [""] * 6


def test_with_a_damaged_champion_the_daily_batch_is_red_and_names_the_rollback(platform: Platform) -> None:
    version = platform.champion()
    assert version is not None
    artefact = Registry(platform.settings.tracking_uri, platform.settings.state_dir).get(version).path / "artefact.json"
    kept = artefact.read_text()
    artefact.write_text("{}")
    try:
        run_id = platform.api.trigger("champagne_daily", {"day": "2026-01-06"})
        run = platform.api.wait_for_run("champagne_daily", run_id, RUN_SECONDS)
    finally:
        artefact.write_text(kept)
    assert run.state == "failed"
    assert [task.try_number for task in run.tasks if task.task_id == "openfoodfacts.plan_shards"] == [1]
    [(error,)] = platform.rows("SELECT error FROM batches WHERE source = 'openfoodfacts' AND day = '2026-01-06'")
    assert "python -m include rollback --reason" in error
