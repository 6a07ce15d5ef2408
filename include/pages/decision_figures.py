"""Figures of a decision: candidate and champion in one picture, and both over the weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from include.models.evaluation.results import ModalityResult
from include.models.promotion.judgement import Judgement
from include.pages.decision_scores import label_rows
from include.pages.drawing import (
    BLUE,
    ORANGE,
    SOFT,
    Drawing,
    beside,
    finish,
    house_style,
    legend_above,
    new_figure,
    percent,
    percent_axis,
    shortened,
    words,
)
from include.pages.judgement_figures import confusion_figure, judgement_figures
from include.pages.rendering import points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CANDIDATE, _CHAMPION = BLUE, ORANGE


@dataclass(frozen=True)
class DayScores:
    """The results of both models in one decision."""

    day: date
    candidate: float
    """Macro-F1 on the gold set of that day."""
    champion: float | None
    promoted: bool


def decision_figures(judgement: Judgement) -> list[Drawing]:
    """All figures of a decision's page: of both models where there is a champion, else of the candidate alone."""
    candidate = judgement.judged.gold
    if judgement.champion_gold is None:
        return judgement_figures("candidate", candidate)
    named = _named(judgement, judgement.champion_gold)
    return [
        label_change_figure(judgement),
        coverage_of_both_figure(named),
        reliability_of_both_figure(named),
        confusion_figure("candidate", candidate),
    ]


def label_change_figure(judgement: Judgement) -> Drawing:
    """F1 of each label before and now, joined by a line; what lost most first."""
    rows = label_rows(judgement)
    places = np.arange(len(rows))
    now, before = [row.candidate for row in rows], [row.champion or 0.0 for row in rows]
    lowest = min([*now, *before], default=0.0)
    name = "decision_labels"
    with house_style(name):
        figure, axes = new_figure(6.8, 1.3 + 0.34 * max(1, len(rows)))
        axes.hlines(places, np.minimum(now, before), np.maximum(now, before), color=SOFT, linewidth=2.2, alpha=0.6)
        axes.plot(
            before, places, "D", color=_CHAMPION, markersize=6.5, clip_on=False,
            label=f"version {shortened(judgement.champion or '')}, champion",
        )  # fmt: skip
        axes.plot(
            now, places, "o", color=_CANDIDATE, markersize=6.5, clip_on=False,
            label=f"version {shortened(judgement.candidate)}, candidate",
        )  # fmt: skip
        for place, row in zip(places.tolist(), rows, strict=True):
            beside(axes, place, points(row.difference), f"n={row.support:,}")
        axes.set_yticks(places, [shortened(words(row.label)) for row in rows])
        start = max(0.0, float(np.floor((lowest - 0.02) * 20) / 20))
        axes.set(xlim=(start, 1.0), ylim=(len(rows) - 0.4, -0.6), xlabel="F1")
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        percent_axis(axes, "x")
        legend_above(axes)
        return finish(
            figure, name, "F1 of each label, before and now",
            "Champion (diamond) and candidate (circle) on the same gold products, what lost most first. At the right: "
            "the change in percentage points, and n, the number of products.",
        )  # fmt: skip


def coverage_of_both_figure(named: Sequence[tuple[str, ModalityResult]]) -> Drawing:
    """Precision of what is accepted by the share that is accepted; `named` is candidate and champion."""
    name = "decision_coverage"
    target = named[0][1].operating_point.target_precision
    seen = [target]
    with house_style(name):
        figure, axes = new_figure(6.4, 4.2)
        for (title, result), colour, dash, mark in zip(named, (_CANDIDATE, _CHAMPION), ("-", "--"), "oD", strict=True):
            curve = sorted(result.coverage_curve, key=lambda point: point.coverage)
            axes.plot(
                [point.coverage for point in curve], [point.precision for point in curve], dash, color=colour,
                label=title,
            )  # fmt: skip
            seen += [point.precision for point in curve]
            chosen = result.operating_point
            if chosen.precision is not None:
                place = (chosen.coverage.value, chosen.precision.value)
                axes.plot(*place, mark, color=colour, markersize=8, clip_on=False, zorder=_layer(mark))
                seen.append(chosen.precision.value)
        axes.axhline(target, color=SOFT, linestyle=":", linewidth=1.4, label=f"target {percent(target)}")
        room = max(0.005, 0.1 * (1.0 - min(seen)))
        axes.set(xlim=(0, 1), ylim=(max(0.0, min(seen) - room), 1.0 + room / 2))
        axes.set_xlabel("coverage: share of the products that is accepted")
        axes.set_ylabel("precision: share that is right")
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        legend_above(axes)
        return finish(
            figure, name, "Coverage and precision of both",
            "Products accepted in order of confidence: the share accepted, and the share of those that is right. The "
            "higher line is better. A mark is the operating point of a model with its own thresholds; without a "
            "mark, it accepts nothing.",
        )  # fmt: skip


def reliability_of_both_figure(named: Sequence[tuple[str, ModalityResult]]) -> Drawing:
    """Accuracy of each model by confidence; `named` is candidate and champion."""
    name = "decision_reliability"
    with house_style(name):
        figure, axes = new_figure(6.4, 4.2)
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle=":", linewidth=1.4)
        for (title, result), colour, dash, mark in zip(named, (_CANDIDATE, _CHAMPION), ("-", "--"), "oD", strict=True):
            confidence, accuracy = (
                [getattr(one, which) for one in result.reliability] for which in ("confidence", "accuracy")
            )
            error = f"{title} (error {result.calibration_error.value:.3f})"
            axes.plot(confidence, accuracy, dash, color=colour, linewidth=1.4, alpha=0.7, label=error, clip_on=False)
            sizes = [12 + 130 * one.count / max(1, result.products) for one in result.reliability]
            axes.scatter(
                confidence, accuracy, s=sizes, marker=mark, color=colour, alpha=0.8, clip_on=False, zorder=_layer(mark)
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence of the model", ylabel="share that is right")
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        legend_above(axes)
        return finish(
            figure, name, "Reliability of both",
            "Accuracy of each model by confidence; the area of a mark shows the number of products. On "
            "the dotted line, confidence equals accuracy.",
        )  # fmt: skip


def timeline_figure(decisions: Sequence[DayScores]) -> Drawing:
    """Macro-F1 of candidate and champion by day, on the gold set of each day."""
    ordered = sorted(decisions, key=lambda one: one.day)
    name = "decisions"
    with house_style(name):
        figure, axes = new_figure(9.6, 3.4)
        defended = [(one.day.toordinal(), one.champion) for one in ordered if one.champion is not None]
        axes.plot(
            [day for day, _ in defended], [score for _, score in defended], "D--", color=_CHAMPION, markersize=6,
            label="champion of that day" if defended else None,
        )  # fmt: skip
        for promoted, fill, fate in ((True, _CANDIDATE, "promoted"), (False, "none", "not promoted")):
            found = [one for one in ordered if one.promoted is promoted]
            axes.plot(
                [one.day.toordinal() for one in found], [one.candidate for one in found], "o", color=_CANDIDATE,
                markerfacecolor=fill, markeredgewidth=1.8, markersize=8, label=f"candidate, {fate}" if found else None,
            )  # fmt: skip
        _days_axis(axes, [one.day for one in ordered])
        axes.set_ylabel("macro-F1 on the gold set")
        percent_axis(axes, "y")
        legend_above(axes)
        return finish(
            figure, name, "Candidates against champions",
            "Macro-F1 of each retraining's candidate and of the champion it met, on the gold set of that day. The gold "
            "set grows, so compare within a day rather than between days.",
        )  # fmt: skip


def _layer(mark: str) -> float:
    """The candidate's circle lies on the champion's diamond, whose corners show where both are the same."""
    return 6 if mark == "o" else 5


def _days_axis(axes: Axes, days: Sequence[date]) -> None:
    """A tick at a day where something was decided; of many days, some."""
    shown = sorted(set(days))
    step = 1 + (len(shown) - 1) // 8
    chosen = shown[::step]
    axes.set_xticks([day.toordinal() for day in chosen], [day.isoformat() for day in chosen])
    axes.margins(x=0.04, y=0.15)


def _named(judgement: Judgement, champion: ModalityResult) -> list[tuple[str, ModalityResult]]:
    return [
        (f"version {shortened(judgement.candidate, 12)}, candidate", judgement.judged.gold),
        (f"version {shortened(judgement.champion or '', 12)}, champion", champion),
    ]
