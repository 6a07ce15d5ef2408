"""`python -m include retrain` and `rollback`: the life of a champion from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.commands.output import AsJson, console, print_json, print_step, progress_printer
from include.commands.relabel import relabel_command
from include.settings import load_settings

if TYPE_CHECKING:
    from include.settings import Settings


def retrain_command(
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day whose labels count; today by default.")
    ] = None,
    relabel: Annotated[bool, typer.Option(help="Label the catalogue anew after a promotion.")] = True,
    as_json: AsJson = False,
) -> None:
    """Train the candidates, and promote the best one only if the gate finds it better than the champion."""
    from include.pipeline.retraining import steps
    from include.pipeline.retraining.reporting import report_decision

    settings = load_settings()
    as_of = day.date() if day else datetime.now(UTC).date()
    say = progress_printer(as_json)
    with steps.alone_in_training(settings, wait=False):
        plan = steps.plan_retraining(settings, as_of)
        if plan["reason"]:
            _show({"promoted": False, **plan}, as_json, f"nothing to train as of {as_of}: {plan['reason']}")
            return
        say(f"snapshot {plan['snapshot'][:12]}; champion: version {plan['champion'] or '–'}")
        examined = []
        for name in plan["candidates"]:
            trained = steps.train_planned(plan, name, settings)
            say(f"{name}: version {trained['version']}, macro-F1 {trained['macro_f1']:.3f} out of fold")
            examined.append(steps.examine_trained(plan, trained, settings))
        judged = steps.judge_trained(plan, examined, settings)
        concluded = steps.conclude(judged["path"], settings)
    page = report_decision(judged["path"], settings)
    verdict = "is champion now" if concluded["promoted"] else "was refused"
    say(f"version {concluded['candidate']} {verdict}: {concluded['reason']}")
    say(f"the decision with its figures: {page}")
    if concluded["promoted"] and relabel:
        _relabel(settings, concluded["candidate"], as_json)
    if as_json:
        _show({**concluded, "page": page}, as_json, "")


def rollback_command(
    reason: Annotated[str, typer.Option(help="Why; it stands in the table promotions.")],
    to: Annotated[
        str | None, typer.Option(help="Number of the version to go back to; the champion before this one by default.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who decided.", envvar="USER")] = "unknown",
    relabel: Annotated[bool, typer.Option(help="Label the catalogue anew afterwards.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make an earlier model version champion again; its labels follow by themselves."""
    from include.pages.decisions_overview import write_decisions_overview
    from include.pipeline.promotion import roll_back

    settings = load_settings()
    change = roll_back(settings, reason=reason, decided_by=by, to=to)
    page = write_decisions_overview(settings)
    before = f"before: version {change['previous'] or '–'}"
    text = f"version {change['version']} is champion ({before}); all decisions: {page}"
    _show({**change, "page": page}, as_json, text if change["changed"] else f"{text}; {change['reason']}")
    if relabel:
        _relabel(settings, change["version"], as_json)


def _relabel(settings: Settings, version: str, as_json: bool) -> None:
    """Label the catalogue anew: in the Airflow that runs here, or else in this process."""
    from include.local.champion_asset import announce_champion

    if announce_champion(settings, version):
        if not as_json:
            print_step("Airflow labels the catalogue anew: see the runs of relabel_catalogue")
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
