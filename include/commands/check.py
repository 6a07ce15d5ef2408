"""`python -m include check`: whether what is kept in several places agrees, and how the lake's bucket is set up."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from include.commands.output import AsJson, console, print_json, print_step
from include.settings import load_settings


def check_command(
    set_upload_rule: Annotated[
        bool,
        typer.Option("--set-upload-rule", help="On S3: first add the lifecycle rule that aborts unfinished uploads."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that registry, promotions, snapshots and labels agree, and the lake's bucket; exit code 1 if not."""
    from include.pipeline.check import check

    settings = load_settings()
    if set_upload_rule:
        from include.storage.bucket import LakeBucket

        added = LakeBucket(settings.lake_root).abort_unfinished_uploads()
        if not as_json:
            print_step("lifecycle rule added" if added else "a lifecycle rule for unfinished uploads is there already")
    findings = check(settings)
    if as_json:
        print_json([{"what": one.what, "problem": one.problem} for one in findings])
    else:
        table = Table("what must hold", "", "disagreement, and how to resolve it", show_lines=True)
        for one in findings:
            table.add_row(one.what, Text("holds", "green") if one.holds else Text("does not", "red"), one.problem)
        console.print(table)
    if not all(one.holds for one in findings):
        raise typer.Exit(1)
