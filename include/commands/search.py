"""`python -m include search`: find better hyper-parameters for the products at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from include.commands.output import AsJson, console
from include.models.search.outcome import Measure
from include.settings import load_settings

if TYPE_CHECKING:
    from include.models.search.outcome import SearchOutcome


def search_command(
    trials: Annotated[
        int, typer.Option(min=1, help="Trials in all, those of an earlier, unfinished search included.")
    ] = 60,
    minutes: Annotated[float, typer.Option(min=0, help="Time limit; a search that ran out of time can go on.")] = 30.0,
    measure: Annotated[Measure, typer.Option(help="What recipes are compared by, out of fold.")] = "macro_f1",
    as_json: AsJson = False,
) -> None:
    """Search hyper-parameters on all trusted labels; the next training uses the best recipe."""
    from include.models.search.outcome import OUTCOME
    from include.models.search.search import SearchBudget
    from include.pipeline.training.search import STUDIES, search_recipe
    from include.storage.lake import Lake

    settings = load_settings()
    outcome = search_recipe(settings, SearchBudget(trials, minutes), measure)
    if as_json:
        typer.echo(outcome.to_json())
        return
    print_outcome(outcome, console)
    console.print(f"recipe: {Lake(settings.lake_root).full_path(OUTCOME)}")
    for path in draw_search(outcome, (settings.state_dir / STUDIES).parent):
        console.print(f"figure: {path}")


def print_outcome(outcome: SearchOutcome, console: Console) -> None:
    """What was tried, and what differs from the default recipe."""
    console.print(
        f"{len(outcome.values)} trials on {outcome.products} products in {outcome.seconds:.0f} s, "
        f"{outcome.pruned} stopped early, {outcome.failed} failed"
    )
    console.print(f"{outcome.measure}: {outcome.value:.4f}, default recipe {outcome.default_value:.4f} (out of fold)")
    if outcome.is_default:
        console.print("No recipe is better than the default by more than chance: the default stays.")
        return
    table = Table("parameter", "default", "chosen", *(["importance"] if outcome.importances else []))
    for name, (default, chosen) in outcome.changes().items():
        share = outcome.importances.get(name)
        cells = [name, str(default), str(chosen), "" if share is None else f"{share:.0%}"]
        table.add_row(*cells[: len(table.columns)])
    console.print(table)


def draw_search(outcome: SearchOutcome, folder: Path) -> tuple[Path, Path]:
    """The course of the search as PNG and SVG in an existing folder."""
    from include.pages.progress_figures import search_figure

    return search_figure(outcome).write(folder)
