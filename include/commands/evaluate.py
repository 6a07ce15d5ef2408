"""`python -m include evaluate`: how good the classifiers are, as a table, and whether that is good enough."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from include.commands.output import AsJson, Elapsed, console
from include.settings import load_settings

if TYPE_CHECKING:
    from include.models.evaluation.results import Evaluation, Interval

_WIDTH_FOR_MEANING = 120
"""Columns of a terminal from which the table also describes each figure."""


def evaluate_command(
    data: Annotated[
        Path | None, typer.Option(help="Folder of real records to evaluate on instead of the drawn demo data.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="Number of different splits of the products.")] = 1,
    label_list: Annotated[
        Path | None,
        typer.Option(help="CSV (code, label) of products labelled by hand, to evaluate the champagne label on."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Compare with another model: the evaluation.json of its evaluation, or a version number."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Models trained at the same time; 2 by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the classifiers by cross-validation and show whether they reach their targets."""
    from include.pages.model_card import write_model_card
    from include.pipeline.evaluation.evaluate import evaluate, reports_folder

    settings = load_settings()
    evaluation = evaluate(
        settings,
        data,
        folds=folds,
        repeats=repeats,
        label_list=label_list,
        against=against,
        jobs=jobs,
        on_step=(lambda _text: None) if as_json else Elapsed().print,
    )
    card = write_model_card(reports_folder(settings) / "evaluation", evaluation, training=None)
    if as_json:
        typer.echo(evaluation.to_json())
        return
    print_evaluation(evaluation, console)
    console.print(f"written to {reports_folder(settings)}; with figures: {card.html}")


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """The figures with their intervals and targets, and the notes that qualify them."""
    data = evaluation.data
    console.print(
        f"{data.products} products of {data.name} in {data.content_groups} content groups, "
        f"{evaluation.folds} folds, {evaluation.repeats} repeat(s)"
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "value", "95 % interval", "target", ""):
        table.add_column(heading, no_wrap=True)
    with_meaning = console.width >= _WIDTH_FOR_MEANING
    if with_meaning:
        table.add_column("what")

    def add(*cells: str | Text, meaning: str = "") -> None:
        table.add_row(*cells, *([meaning] if with_meaning else []))

    for key, target in evaluation.targets.items():
        figure = evaluation.figures.get(key)
        bound = f"{'≤' if target.at_most else '≥'} {target.bound:g}"
        if figure is None:
            add(key, "–", "not measured", bound, "", meaning=target.what)
        else:
            met = Text("met", "green") if target.is_met(figure) else Text("missed", "red")
            add(key, f"{figure.value:.3f}", _range(figure), bound, met, meaning=target.what)
    for key, figure in evaluation.figures.items():
        if key not in evaluation.targets:
            add(key, f"{figure.value:.3f}", _range(figure), "", "")
    console.print(table)
    for comparison in evaluation.comparisons:
        console.print(
            f"{comparison.first} against {comparison.second}: right alone {comparison.only_first_right} to "
            f"{comparison.only_second_right} of {comparison.products}, p = {comparison.p_value:.3g} (McNemar)"
        )
    console.print(f"Intervals: {evaluation.interval_method}.")
    for note in evaluation.notes:
        console.print(note)


def _range(figure: Interval) -> str:
    return f"{figure.low:.3f} to {figure.high:.3f}"
