"""A retraining from its plan to its report in one process, by the steps that Airflow runs as tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from include.pipeline.retraining import steps
from include.pipeline.retraining.reporting import report_decision
from include.settings import Settings


@dataclass(frozen=True)
class RetrainingResult:
    """What a retraining planned, and what it came to."""

    plan: steps.RetrainingPlan
    conclusion: steps.Conclusion | None
    """None where there was nothing to do; `plan["reason"]` is why."""
    page: str
    """The decision's page, path in the lake; empty without a conclusion."""


def run_retraining(
    settings: Settings, as_of: date, *, on_step: Callable[[str], None] = lambda _text: None
) -> RetrainingResult:
    """Train the candidates on the labels as of a day, and promote the best one if the gate allows it.

    `on_step` is called with a line of progress after each step. Run again after being killed, it goes on where it was.
    Raises RetrainingBusy when something else is being trained, ChampionChanged when another version became champion
    meanwhile.
    """
    with steps.alone_in_training(settings, wait=False):
        plan = steps.plan_retraining(settings, as_of)
        if plan["reason"]:
            return RetrainingResult(plan, None, "")
        on_step(f"snapshot {plan['snapshot'][:12]}; champion: version {plan['champion'] or '–'}")
        examined = []
        for name in plan["candidates"]:
            trained = steps.train_planned(plan, name, settings)
            on_step(f"{name}: version {trained['version']}, macro-F1 {trained['macro_f1']:.3f} out of fold")
            examined.append(steps.examine_trained(plan, trained, settings))
        judged = steps.judge_trained(plan, examined, settings)
        concluded = steps.conclude(judged["path"], settings)
    page = report_decision(judged["path"], settings)
    verdict = "is champion now" if concluded["promoted"] else "was refused"
    on_step(f"version {concluded['candidate']} {verdict}: {concluded['reason']}")
    return RetrainingResult(plan, concluded, page)
