"""`python -m include retrain` and `rollback`: the life of a champion from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.commands.output import AsJson, console, print_json, print_page, print_step, progress_printer
from include.commands.relabel import relabel_command
from include.settings import load_settings

if TYPE_CHECKING:
    from include.settings import Settings


def retrain_command(
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day whose labels count; today by default.")
    ] = None,
    relabel: Annotated[bool, typer.Option(help="Relabel the catalogue after a promotion.")] = True,
    as_json: AsJson = False,
) -> None:
    """Train the candidates, and promote the best one only if the gate finds it better than the champion."""
    from include.pipeline.retraining.run_retraining import run_retraining
    from include.storage.lake import Lake

    settings = load_settings()
    as_of = day.date() if day else datetime.now(UTC).date()
    found = run_retraining(settings, as_of, on_step=progress_printer(as_json))
    if found.conclusion is None:
        reason = found.plan["reason"]
        _show({"promoted": False, **found.plan}, as_json, f"nothing to train as of {as_of}: {reason}")
        return
    if not as_json:
        print_page("the decision with its figures", Lake(settings.lake_root), found.page)
    if found.conclusion["promoted"] and relabel:
        _relabel(settings, found.conclusion["candidate"], as_json)
    if as_json:
        print_json({**found.conclusion, "page": found.page})


def rollback_command(
    reason: Annotated[str, typer.Option(help="Reason, recorded in the table promotions.")],
    to: Annotated[
        str | None, typer.Option(help="Number of the version to go back to; the champion before this one by default.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who decided.", envvar="USER")] = "unknown",
    relabel: Annotated[bool, typer.Option(help="Relabel the catalogue afterwards.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make an earlier model version champion again; its labels follow by themselves."""
    from include.pipeline.retraining.run_rollback import run_rollback
    from include.storage.lake import Lake

    settings = load_settings()
    change = run_rollback(settings, reason=reason, decided_by=by, to=to)
    text = f"version {change['version']} is champion (before: version {change['previous'] or '–'})"
    _show(dict(change), as_json, text if change["changed"] else f"{text}; {change['reason']}")
    if not as_json:
        print_page("all decisions", Lake(settings.lake_root), change["page"])
    if relabel:
        _relabel(settings, change["version"], as_json)


def _relabel(settings: Settings, version: str, as_json: bool) -> None:
    """Relabel the catalogue: in the Airflow that runs here, or else in this process."""
    from include.local.champion_asset import announce_champion

    if announce_champion(settings, version):
        if not as_json:
            print_step("Airflow relabels the catalogue: see the runs of relabel_catalogue")
    elif not as_json:
        relabel_command(version)
    else:
        from include.pages.relabel_report import write_relabel_report
        from include.pipeline.relabelling.relabel import relabel_catalogue
        from include.storage.lake import Lake

        write_relabel_report(Lake(settings.lake_root), relabel_catalogue(settings, version))


def _show(document: dict[str, Any], as_json: bool, text: str) -> None:
    if as_json:
        print_json(document)
    else:
        console.print(text)
