"""A judgement's candidate and champion side by side, as rows for tables: scores, and F1 of each label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from include.models.evaluation.results import Interval, ModalityResult
from include.models.promotion.gate import coverage_at
from include.models.promotion.judgement import Judgement
from include.pages.drawing import percent
from include.pages.rendering import figure_text, points, share_text, signed


@dataclass(frozen=True)
class ScoreRow:
    """One score of both, written for people."""

    name: str
    meaning: str
    candidate: str
    """With its 95 % interval where it has one; a dash where it was not measured."""
    champion: str
    difference: str
    """Candidate less champion; empty where one of them was not measured."""


@dataclass(frozen=True)
class LabelRow:
    """One label's F1 of both."""

    label: str
    support: int
    """Gold products that have this label."""
    precision: float
    """Of the candidate, as is the recall."""
    recall: float
    candidate: float
    champion: float | None
    """None where there is no champion."""

    @property
    def difference(self) -> float:
        """F1 of the candidate less the champion's; 0 without one."""
        return 0.0 if self.champion is None else self.candidate - self.champion


def score_rows(judgement: Judgement) -> list[ScoreRow]:
    """Macro-F1, accuracy, calibration error, and what would be accepted, of candidate and champion."""
    target = judgement.judged.gold.operating_point.target_precision
    figures, shares = _Form(figure_text, signed), _Form(share_text, points)
    rows: list[tuple[str, str, _Form, Callable[[ModalityResult], Interval | None]]] = [
        ("macro-F1", "mean F1 of the labels: what must grow", figures, lambda one: one.macro_f1),
        ("accuracy", "share that is right", shares, lambda one: one.accuracy),
        ("calibration error", "how far confidence is from truth; 0 is best", figures,
         lambda one: one.calibration_error),
        ("accepted", "share that needs no person, with its thresholds", shares,
         lambda one: one.operating_point.coverage),
        ("right when accepted", f"its thresholds were chosen for {percent(target)}", shares,
         lambda one: one.operating_point.precision),
        (f"could be accepted at {percent(target)}", "largest share that reaches this precision",
         _Form(_without_interval, points), lambda one: _exactly(coverage_at(one.coverage_curve, target))),
    ]  # fmt: skip
    return [_row(judgement, *row) for row in rows]


def label_rows(judgement: Judgement) -> list[LabelRow]:
    """The labels that gold products have: what lost most first, or the weakest first where there is no champion."""
    defending = judgement.champion_gold
    before = {} if defending is None else {row.label: row.f1 for row in defending.classes}
    rows = [
        LabelRow(
            row.label, row.support, row.precision, row.recall, row.f1,
            None if defending is None else before.get(row.label, 0.0),
        )
        for row in judgement.judged.gold.classes
        if row.support
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (round(row.difference, 6), row.candidate, row.label))


@dataclass(frozen=True)
class _Form:
    """How a score and a difference of two are written."""

    write: Callable[[Interval | None], str]
    write_difference: Callable[[float], str]


def _row(
    judgement: Judgement, name: str, meaning: str, form: _Form, score: Callable[[ModalityResult], Interval | None]
) -> ScoreRow:
    mine = score(judgement.judged.gold)
    theirs = None if judgement.champion_gold is None else score(judgement.champion_gold)
    difference = "" if mine is None or theirs is None else form.write_difference(mine.value - theirs.value)
    return ScoreRow(name, meaning, form.write(mine), form.write(theirs), difference)


def _exactly(share: float) -> Interval:
    """A share that comes without an interval."""
    return Interval(share, share, share)


def _without_interval(share: Interval | None) -> str:
    return "–" if share is None else percent(share.value)
