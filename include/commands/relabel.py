"""`python -m include relabel`: label the whole catalogue again, with progress on the terminal."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from include.commands.output import AsJson, console, print_json, print_page
from include.settings import load_settings

if TYPE_CHECKING:
    from include.pipeline.relabelling.plan import PinnedModel, RelabelShard
    from include.warehouse.relabel_summary import RelabelSummary

SHOWN_CHANGES = 10


def relabel_command(
    version: Annotated[
        str | None, typer.Option(help="Number of the model version; that of the champion by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Label all known products again with one model version; after a kill it resumes where it was."""
    from include.pages.relabel_report import write_relabel_report
    from include.pipeline.relabelling.relabel import relabel_catalogue
    from include.storage.lake import Lake

    settings = load_settings()
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    task = progress.add_task("planning", total=None)

    def planned(model: PinnedModel, shards: list[RelabelShard]) -> None:
        total = sum(shard["products"] for shard in shards)
        progress.update(task, description=f"relabelling with version {model['version']}", total=total)

    with nullcontext() if as_json else progress:
        summary = relabel_catalogue(
            settings,
            version,
            on_plan=planned,
            on_shard=lambda shard: progress.advance(task, shard["products"]),
        )
    lake = Lake(settings.lake_root)
    report = write_relabel_report(lake, summary)
    if as_json:
        print_json({**summary, "report": lake.url(report)})
        return
    print_relabelling(summary, console)
    print_page("report", lake, report)


def print_relabelling(summary: RelabelSummary, console: Console) -> None:
    """What the relabelling changed, in a few lines and a table of the commonest changes."""
    if not summary["relabelled"]:
        console.print(f"nothing to relabel with version {summary['version']}")
        return
    console.print(
        f"version {summary['version']} relabelled {summary['relabelled']:,} products: "
        f"{summary['label_changed']:,} got another label, {summary['review_to_accepted']:,} are accepted now, "
        f"{summary['accepted_to_review']:,} are for review now, {summary['human']:,} labels by people stay"
    )
    if summary["others"]:
        console.print(f"{summary['others']:,} products came meanwhile: run the command again")
    if not summary["changes"]:
        return
    table = Table("products", "from", "to")
    for change in summary["changes"][:SHOWN_CHANGES]:
        table.add_row(
            f"{change['products']:,}",
            f"{change['label_before']}, {change['decision_before']}",
            f"{change['label_after']}, {change['decision_after']}",
        )
    console.print(table)
