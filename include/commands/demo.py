"""`make demo`: the product's main job on this machine, from nothing to labelled champagne.

Imports labelled catalogues, trains the first model, and lets Airflow run `champagne_daily` for three days.
Days and data are fixed, so that running it again leaves the same rows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from include.commands.output import Elapsed
from include.errors import ConfigurationError, NoChampionError
from include.local.airflow import LocalAirflow
from include.local.airflow_api import AirflowApi
from include.local.airflow_runs import RunState
from include.local.platform import addresses
from include.local.postgres import PostgresServer
from include.local.sandbox_process import SandboxProcess
from include.pipeline.catalogue_files import CatalogueFile, pretrained_encoder, replay_catalogues
from include.security.quoting import printable
from include.settings import Settings
from include.storage.local_files import write_file

FIRST_DAY = date(2026, 1, 5)
DAYS = 3
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
IMPORT_DAY = FIRST_DAY - timedelta(days=1)
BACKFILL_SECONDS = 900.0
QUIET_SECONDS = 5.0
DAG_ID = "champagne_daily"


def replay_settings(settings: Settings, folder: Path) -> Settings:
    """Settings for real input: the pretrained image encoder of the folder, unless another was chosen."""
    if settings.image_encoder != Settings.model_fields["image_encoder"].default:
        return settings
    pretrained = pretrained_encoder(folder)
    return settings.model_copy(update={"image_encoder": pretrained}) if pretrained else settings


def run_demo(settings: Settings, replay: Path | None, console: Console) -> None:
    """Run the demo and print what it made; Airflow stays up. Raises CuveeError if any part fails."""
    progress = Progress(console)
    folder = replay.resolve() if replay else None
    catalogues = replay_catalogues(folder) if folder else []
    if folder:
        settings = replay_settings(settings, folder)
    # The sandbox has products for these days only; without an end, Airflow would also ask it for yesterday.
    settings = settings.model_copy(update={"first_day": FIRST_DAY, "last_day": LAST_DAY})
    claim_state_folder(settings, folder)

    postgres = PostgresServer(settings)
    airflow = LocalAirflow(settings, postgres)
    sandbox = SandboxProcess(settings)
    with progress.step("PostgreSQL"):
        postgres.start()
    with progress.step("Sandbox food APIs"):
        sandbox.start(replay=folder, first_day=FIRST_DAY, days=DAYS)
    airflow.launch(progress.say)  # boots while the catalogue is imported and the model trained
    prepare_model(settings, catalogues, progress)
    with progress.step("Airflow"):
        api = airflow.wait(sandbox.url, progress.say)
    run_days(api, progress)
    print_results(settings, console)
    progress.say("done; Airflow stays up, `make down` stops everything")


def claim_state_folder(settings: Settings, replay: Path | None) -> None:
    """Refuse to mix real and drawn data in one state folder."""
    claim = settings.state_dir / "demo.json"
    wanted = {"replay": str(replay) if replay else None}
    if claim.exists() and json.loads(claim.read_text()) != wanted:
        raise ConfigurationError(
            f"{settings.state_dir} holds a demo on other data. `make clean` removes it; "
            "or set CUVEE_STATE_DIR to another folder to keep both (and stop the first with `make down`)."
        )
    write_file(claim, json.dumps(wanted))


def prepare_model(settings: Settings, catalogues: Sequence[CatalogueFile], progress: Progress) -> None:
    """Import the catalogues and train the first model; nothing if there is a champion."""
    from include.models.version.registry import Registry

    try:
        champion = Registry(settings.tracking_uri, settings.state_dir).champion()
    except NoChampionError:
        pass
    else:
        progress.say(f"model: champion is version {champion.version} already")
        return

    from include.pipeline.import_catalogue import import_catalogue
    from include.pipeline.model_card import write_trained_model_card
    from include.pipeline.training.train import train_model

    if not catalogues:
        from include.sandbox import write_demo_catalogue

        with progress.step("Drawing the demo catalogue"):
            drawn = write_demo_catalogue(settings.state_dir / "demo_catalogue")
        catalogues = [CatalogueFile(drawn, "demo_catalogue")]
    for file in catalogues:
        with progress.step(f"Importing {file.path.name}") as note:
            summary = import_catalogue(file.path, IMPORT_DAY, settings, source=file.source, kind=file.kind)
            note(
                f"{summary['products']} products, {summary['training_labels']} labels, {summary['photos']} photos, "
                f"{summary['quarantined']} quarantined"
            )
    with progress.step("Training the first model") as note:
        trained = train_model(settings)
        card = write_trained_model_card(settings)
        note(f"version {trained['version']}" + (f", its card: {card.html}" if card else ""))
    progress.console.print(trained["report"])


def run_days(api: AirflowApi, progress: Progress) -> None:
    """Backfill the three days through Airflow and wait, showing each task as it ends."""
    api.wait_for_dag(DAG_ID)
    api.unpause(DAG_ID)
    api.create_backfill(DAG_ID, FIRST_DAY, LAST_DAY, reprocess="completed", max_active_runs=DAYS)
    with progress.step(f"Airflow backfill of {DAG_ID}, {FIRST_DAY} to {LAST_DAY}"):
        runs = api.wait_for_runs(DAG_ID, FIRST_DAY, LAST_DAY, BACKFILL_SECONDS, on_progress=progress.runs)
        api.require_success(runs)


def print_results(settings: Settings, console: Console) -> None:
    """The labelled products, the counts per day, and where everything is."""
    from include.warehouse.engine import open_engine
    from include.warehouse.queries import batch_counts, label_counts, labelled_sample, quarantine_counts

    with open_engine(settings.warehouse_dsn) as engine:
        console.print(as_table("Labelled products (a sample)", labelled_sample(engine, limit=24)))
        console.print(as_table("Products by label", label_counts(engine)))
        console.print(as_table("Counts per day", batch_counts(engine)))
        console.print(as_table("Quarantined, and why", quarantine_counts(engine)))
    for name, address in addresses(settings).items():
        console.print(Text(f"{name:>10} ", "bold"), address)
    console.print(Text(f"{'parquet':>10} ", "bold"), f"{settings.lake_root}/labels")
    console.print(
        "Facts from Open Food Facts are under the ODbL 1.0, photos under CC BY-SA; the sandbox replays or draws them.",
        style="dim",
    )


def as_table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Rows with the same keys as a table; product text is shown as it is, never read as markup."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for name, value in (rows[0] if rows else {"nothing yet": ""}).items():
        is_text = isinstance(value, str)
        table.add_column(name, justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
    for row in rows:
        table.add_row(*(Text("–" if value is None else printable(str(value))) for value in row.values()))
    return table


class Progress:
    """Lines of progress: what happens, and how long it took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._elapsed = Elapsed(console)
        self._printed_states = ""
        self._printed_at = 0.0

    def say(self, text: str) -> None:
        """One line with the time since the start."""
        self._elapsed.print(text)

    def step(self, name: str) -> Step:
        """A block whose end is printed with its duration."""
        return Step(self, name)

    def runs(self, runs: Sequence[RunState]) -> None:
        """Print how far the runs of a backfill are: when a run changes its state, else every few seconds."""
        states = ", ".join(f"{run.logical_date:%d %b} {run.state}" for run in runs if run.logical_date)
        now = time.monotonic()
        if states == self._printed_states and now - self._printed_at < QUIET_SECONDS:
            return
        self._printed_states, self._printed_at = states, now
        tasks = [task for run in runs for task in run.tasks]
        finished = sum(task.state in {"success", "skipped", "failed"} for task in tasks)
        running = sorted({task.task_id.rsplit(".", 1)[-1] for task in tasks if task.state == "running"})
        self.say(f"{states}: {finished} of {len(tasks)} tasks done; now: {', '.join(running) or '–'}")


class Step:
    """One part of the demo; its note is added to the line that ends it."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name
        self._note = ""

    def __enter__(self) -> Any:
        self._progress.say(f"{self._name} …")
        self._begin = time.monotonic()
        return self._take_note

    def _take_note(self, text: str) -> None:
        self._note = f": {text}"

    def __exit__(self, error: type[BaseException] | None, *_rest: object) -> None:
        if error is None:
            self._progress.say(f"{self._name} ready in {time.monotonic() - self._begin:.1f} s{self._note}")
