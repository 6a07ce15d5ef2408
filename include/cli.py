"""The command line: everything that the Makefile and the DAGs do, callable by hand.

Exit codes: 0 done; 1 an expected failure; its message states what to do; 2 wrong usage.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from include.commands.check import check_command
from include.commands.evaluate import evaluate_command
from include.commands.output import AsJson, console, print_json, print_step, print_summary, progress_printer
from include.commands.relabel import relabel_command
from include.commands.retrain import retrain_command, rollback_command
from include.commands.search import search_command
from include.commands.train_networks import train_cnn_command, train_encoder_command
from include.console import PlainConsole, PlainFormatter
from include.errors import CuveeError
from include.settings import Settings, load_settings

app = typer.Typer(
    name="cuvee",
    help="Label consumer products from their text and their photo, on Airflow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

AllowEmpty = Annotated[
    bool,
    typer.Option(help="Allow a day to lose the products or photos that it has, where the source has none any more."),
]
DayArgument = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="DAY", help="Day, e.g. 2026-01-31.")]


def main() -> NoReturn:
    """Run the command line; an expected failure prints its message without a traceback."""
    try:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(level=load_settings().log_level, handlers=[handler])
        app()
    except CuveeError as error:
        PlainConsole(stderr=True).print(Text("error:", "bold red"), str(error))
        sys.exit(1)
    except BrokenPipeError:  # a pipe that closes early (`| head`) is not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(0)


@app.command()
def up() -> None:
    """Start PostgreSQL and Airflow on this machine, and print where they are."""
    from include.local.platform import start_platform

    print_summary(start_platform(load_settings(), on_step=print_step), as_json=False)


@app.command()
def down() -> None:
    """Stop everything that `up` or `demo` started, and nothing else."""
    from include.local.platform import stop_platform

    stop_platform(load_settings(), on_step=print_step)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show what runs, where it listens and where its logs are; exit code 1 if something is down."""
    from include.local.platform import platform_status

    services = platform_status(load_settings())
    if as_json:
        print_json(services)
    else:
        table = Table("service", "state", "address", "log")
        for service in services:
            table.add_row(service["name"], service["state"], service["address"], service["log"])
        console.print(table)
    if any(service["state"] != "running" for service in services):
        raise typer.Exit(1)


@app.command()
def demo(
    replay: Annotated[
        Path | None, typer.Option(help="Folder of real records to replay instead of the drawn demo data.")
    ] = None,
) -> None:
    """Show the whole product: import, train, and three days of champagne through Airflow."""
    from include.commands.demo import run_demo

    run_demo(load_settings(), replay, console)


@app.command(name="import")
def import_command(
    path: Annotated[Path, typer.Argument(help="Catalogue file: CSV, TSV, Parquet or JSON lines (.gz allowed).")],
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day in the lake; today by default.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Name of the source; the file's name by default.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="flipkart, openfoodfacts or plain; found by looking into the file.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Column mapping of a plain file, e.g. id=sku,name=title,category=kind.")
    ] = None,
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Import a labelled catalogue with its photos."""
    from include.pipeline.import_catalogue import import_catalogue
    from include.sources.catalogue import ColumnMapping

    mapping = ColumnMapping.parse(columns) if columns else None
    target = day.date() if day else datetime.now(UTC).date()
    summary = import_catalogue(
        path, target, load_settings(), source=source, kind=kind, mapping=mapping, allow_empty=allow_empty
    )
    print_summary(dict(summary), as_json)


@app.command()
def train(
    promote: Annotated[bool, typer.Option(help="Make the new version champion even if there is one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on all trusted labels; the first one becomes champion."""
    from include.pipeline.model_card import write_trained_model_card
    from include.pipeline.training.train import train_model

    summary = dict(train_model(load_settings(), promote=promote))
    card = write_trained_model_card(load_settings())
    print_summary(summary | {"model_card": str(card.html) if card else ""}, as_json)


app.command(name="retrain")(retrain_command)
app.command(name="rollback")(rollback_command)
app.command(name="check")(check_command)
app.command(name="evaluate")(evaluate_command)
app.command(name="search")(search_command)
app.command(name="relabel")(relabel_command)
app.command(name="train-cnn")(train_cnn_command)
app.command(name="train-encoder")(train_encoder_command)


@app.command(name="run-day")
def run_day_command(
    day: DayArgument,
    source: Annotated[
        list[str] | None, typer.Option(help="Source to run, repeatable; all daily sources by default.")
    ] = None,
    refetch: Annotated[bool, typer.Option(help="Request the day from the API again even if it is landed.")] = False,
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Run one day without Airflow: fetch, validate, embed, classify, publish."""
    from include.pipeline.daily.run_day import run_day
    from include.pipeline.source_access import connection_from_settings

    settings = load_settings()
    results = {}
    for name in source or settings.daily_sources:
        connection = connection_from_settings(name, settings)
        results[name] = run_day(
            name,
            day.date(),
            settings,
            connection,
            refetch=refetch,
            allow_empty=allow_empty,
            on_step=progress_printer(as_json, f"{name}: "),
        )
    print_summary(results, as_json)


@app.command(name="land-dump")
def land_dump(
    path: Annotated[Path, typer.Argument(help="Full dump of Open Food Facts: JSON lines, .gz allowed.")],
    first_day: DayArgument,
    last_day: DayArgument,
    as_json: AsJson = False,
) -> None:
    """Land days that Open Food Facts no longer serves, from its full dump; then run them like any other day."""
    from include.sources.openfoodfacts_dump import land_days_of_dump
    from include.storage.lake import Lake

    rows = land_days_of_dump(path, first_day.date(), last_day.date(), Lake(load_settings().lake_root))
    print_summary({day.isoformat(): count for day, count in rows.items()}, as_json)


@app.command()
def sql(
    query: Annotated[
        str, typer.Argument(help='A query, e.g. "select label, count(*) from labelled_products group by 1".')
    ],
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(help="Rows shown at most.")] = 100,
) -> None:
    """Run a read-only query against the warehouse."""
    from include.warehouse.engine import open_engine
    from include.warehouse.queries import run_sql

    with open_engine(load_settings().warehouse_dsn) as engine:
        columns, rows = run_sql(engine, query, limit=limit)
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(table)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="CSV file to write.")],
    source: Annotated[str, typer.Option(help="Source whose products are exported.")] = "openfoodfacts",
) -> None:
    """Write the first ten champagne products as CSV: foodId, label, category, foodContentsLabel, image."""
    from include.pipeline.export import export_first_products

    count = export_first_products(path, source, load_settings())
    console.print(f"{count} products written to {path}")


@app.command()
def review(
    product_id: Annotated[str, typer.Argument(help="Product, e.g. openfoodfacts:3018333000014.")],
    label: Annotated[str, typer.Argument(help="The right label, e.g. champagne.")],
    reviewer: Annotated[str, typer.Option(help="Who decided.", envvar="USER")] = "unknown",
    comment: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Correct a product's label; predictions never overwrite it."""
    from include.taxonomy import load_taxonomy
    from include.warehouse.engine import open_engine
    from include.warehouse.reviews import record_review
    from include.warehouse.search_index import refresh_search

    taxonomy = load_taxonomy()
    with open_engine(load_settings().warehouse_dsn) as engine:
        record_review(
            engine,
            product_id,
            taxonomy.require_label(label),
            department=taxonomy.department(label),
            reviewer=reviewer,
            comment=comment,
        )
        refresh_search(engine)
    console.print(f"{product_id} is now {label}, decided by {reviewer}")


@app.command()
def sandbox(
    first_day: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="First day it has products for.")
    ] = datetime(  # noqa: DTZ001
        2026, 1, 5
    ),
    days: Annotated[int, typer.Option(help="Days it has products for.")] = 3,
    replay: Annotated[Path | None, typer.Option(help="Folder of real records to serve.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; CUVEE_SANDBOX_PORT by default.")] = None,
) -> None:
    """Serve a local stand-in of both food APIs until interrupted."""
    from include.sandbox import serve

    serve(replay=replay, first_day=first_day.date(), days=days, port=port or load_settings().sandbox_port)


@app.command(name="settings")
def settings_command(as_json: AsJson = False) -> None:
    """List every setting: environment variable, value, meaning. Secrets are masked."""
    values = load_settings().model_dump(mode="json")
    names = {name: field.validation_alias or f"CUVEE_{name.upper()}" for name, field in Settings.model_fields.items()}
    if as_json:
        print_json({str(names[name]): value for name, value in values.items()})
        return
    table = Table("variable", "value", "meaning")
    for name, field in Settings.model_fields.items():
        table.add_row(str(names[name]), str(values[name]), field.description)
    console.print(table)
