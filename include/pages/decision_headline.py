"""The outcome of a retraining, in one sentence: who is champion now, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from include.models.promotion.judgement import Judgement
from include.warehouse.promotions import StoredPromotion

State = Literal["promoted", "refused", "rejected", "rolled_back", "open"]

NOBODY = "nobody"
"""`decided_by` where a person was asked and did not answer in time."""
_PROGRAM = ("gate", "train")


@dataclass(frozen=True)
class Badge:
    """A state as a coloured tag of the pages."""

    style: str
    """Class of the style sheet: `passed`, `warning`, `empty`."""
    text: str


BADGES: dict[State, Badge] = {
    "promoted": Badge("passed", "✓ promoted"),
    "refused": Badge("warning", "– refused"),
    "rejected": Badge("warning", "✗ rejected"),
    "rolled_back": Badge("warning", "↩ rolled back"),
    "open": Badge("empty", "○ not decided yet"),
}


def state_of(stored: StoredPromotion | None) -> State:
    """The state of a decision according to `promotions`; `open` without a row.

    A refusal is the gate's, a rejection a person's (or nobody answered in time).
    """
    if stored is None:
        return "open"
    if stored.kind == "rollback":
        return "rolled_back"
    if stored.promoted:
        return "promoted"
    return "refused" if stored.decided_by in _PROGRAM else "rejected"


def headline(judgement: Judgement, stored: StoredPromotion | None) -> str:
    """The verdict, e.g. `Version 3 stays champion, because version 4 does not keep 2 of the 10 clauses of the gate.`

    `stored` is the decision in `promotions`; without it, the sentence states what the gate proposes.
    """
    candidate, champion = judgement.candidate, judgement.champion
    stays = f"Version {champion} stays champion" if champion else "There is still no champion"
    if judgement.outcome == "refuse":
        return f"{stays}, because {_shortcoming(judgement)}."
    kept = f"all {len(judgement.judged.clauses)} clauses of the gate hold"
    rank = f"champion in place of version {champion}" if champion else "the first champion"
    if stored is None:
        return f"Version {candidate} may become {rank}: {kept}. It is not decided yet."
    if stored.promoted:
        by_person = "" if stored.decided_by in _PROGRAM else f" and {stored.decided_by} approved it"
        return f"Version {candidate} became {rank}, because {kept}{by_person}."
    if stored.decided_by == NOBODY:
        return f"{stays}, because nobody approved version {candidate} in time, although {kept}."
    return f"{stays}, because {stored.decided_by} rejected version {candidate}, although {kept}."


def _shortcoming(judgement: Judgement) -> str:
    """Why the gate refuses, as the second half of a sentence."""
    if judgement.candidate == judgement.champion:
        return "it is the best candidate itself: nothing new was learnt"
    clauses = judgement.judged.clauses
    broken = sum(not clause.holds for clause in clauses)
    return f"version {judgement.candidate} does not keep {broken} of the {len(clauses)} clauses of the gate"
