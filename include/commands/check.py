"""`python -m include check`: whether what is kept in more than one place agrees."""

from __future__ import annotations

import typer
from rich.table import Table
from rich.text import Text

from include.commands.output import AsJson, console, print_json
from include.settings import load_settings


def check_command(as_json: AsJson = False) -> None:
    """Check that registry, promotions, snapshots and labels agree; exit code 1 and each disagreement if not."""
    from include.pipeline.check import check

    findings = check(load_settings())
    if as_json:
        print_json([{"what": one.what, "problem": one.problem} for one in findings])
    else:
        table = Table("what must hold", "", "disagreement, and how to resolve it", show_lines=True)
        for one in findings:
            table.add_row(one.what, Text("holds", "green") if one.holds else Text("does not", "red"), one.problem)
        console.print(table)
    if not all(one.holds for one in findings):
        raise typer.Exit(1)
