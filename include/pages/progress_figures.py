"""Figures of how something came about: more examples, more epochs, more trials of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from include.models.evaluation.results import LearningPoint
from include.models.search.outcome import Measure, SearchOutcome
from include.pages.drawing import (
    BLUE,
    DASHES,
    INK,
    ORANGE,
    SERIES,
    SOFT,
    Drawing,
    finish,
    house_style,
    legend_above,
    new_figure,
    percent,
    percent_axis,
    shortened,
    words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES: Mapping[Measure, str] = {"macro_f1": "macro-F1", "log_loss": "log loss (nats)"}


def learning_curve_figure(points: Sequence[LearningPoint], titles: Mapping[str, str]) -> Drawing:
    """Accuracy by number of training products; `titles` names the keys of `LearningPoint.accuracy` to draw.

    At most four are drawn: more lines cannot be distinguished.
    """
    keys = [key for key in titles if any(key in point.accuracy for point in points)][: len(SERIES)]
    lowest = [point.accuracy[key].low for point in points for key in keys if key in point.accuracy]
    with house_style("learning_curve"):
        figure, axes = new_figure(6.4, 4.0)
        for key, colour, dash in zip(keys, SERIES, DASHES, strict=False):
            known = sorted((point for point in points if key in point.accuracy), key=lambda one: one.training_products)
            sizes = [point.training_products for point in known]
            found = [point.accuracy[key] for point in known]
            axes.fill_between(
                sizes, [one.low for one in found], [one.high for one in found], color=colour, alpha=0.13, linewidth=0
            )
            axes.plot(
                sizes, [one.value for one in found], marker="o", linestyle=dash, color=colour, markersize=5,
                label=shortened(titles[key], 48),
            )  # fmt: skip
        axes.set_xlabel("training products")
        axes.set_ylabel("accuracy on unseen products")
        axes.set_xlim(left=0)
        axes.set_ylim(max(0.0, min(lowest, default=0.0) - 0.02), 1.0)
        percent_axis(axes, "y")
        if keys:
            axes.legend(loc="lower right")
        return finish(
            figure, "learning_curve", "Learning curve",
            "Accuracy on unseen products when the model learns from fewer of the examples, with 95 % intervals. A "
            "curve that still rises indicates that more labelled products would help.",
        )  # fmt: skip


def training_history_figure(history: Sequence[Mapping[str, Any]], name: str = "training_history") -> Drawing:
    """Learning curves of a network: a row per epoch, as `history.json` of its training has them.

    A row has `phase`, `loss`, `accuracy`, `validation_loss` and `validation_accuracy`.
    """
    epochs = np.arange(1, len(history) + 1)
    starts = [epoch for epoch in range(1, len(history)) if history[epoch]["phase"] != history[epoch - 1]["phase"]]
    with house_style(name):
        figure, whole = new_figure(8.4, 3.6)
        whole.remove()
        panels = figure.subplots(1, 2)
        measures = (("loss", "loss (cross-entropy, nats)"), ("accuracy", "accuracy"))
        for axes, (measure, label) in zip(panels, measures, strict=True):
            axes.set_facecolor("none")
            for number, (key, who) in enumerate(((measure, "training"), (f"validation_{measure}", "validation"))):
                values = [row[key] for row in history]
                marker = "o" if len(values) == 1 else ""
                axes.plot(epochs, values, DASHES[number], marker=marker, color=SERIES[number], label=who)
            for start in starts:
                axes.axvline(start + 0.5, color=SOFT, linestyle=":", linewidth=1.2)
            axes.set_xlabel("epoch")
            axes.set_ylabel(label)
            axes.locator_params(axis="x", integer=True)
            legend_above(axes)
        percent_axis(panels[1], "y")
        phases = list(dict.fromkeys(words(row["phase"]) for row in history))
        named = f" Dotted lines stand between the phases: {', '.join(phases)}." if starts else ""
        return finish(
            figure, name, "Training of the network",
            f"Loss and accuracy by epoch, on augmented training photos and on the photos held out for stopping.{named}",
        )  # fmt: skip


def search_figure(outcome: SearchOutcome) -> Drawing:
    """The course of a hyper-parameter search, and the importance of parameters where there were enough trials."""
    ordered = sorted(outcome.importances.items(), key=lambda entry: (entry[1], entry[0]))
    caption = "The value of each trial and the best so far."
    with house_style("search"):
        if ordered:
            figure, whole = new_figure(9.2, max(3.4, 1.2 + 0.3 * len(ordered)))
            whole.remove()
            course, bars = figure.subplots(1, 2, width_ratios=(1.35, 1.0))
            for axes in (course, bars):
                axes.set_facecolor("none")
            _draw_importances(bars, ordered)
            caption += " Right: how much of the differences between trials each parameter explains."
        else:
            figure, course = new_figure(6.4, 3.4)
        _draw_course(course, outcome)
        return finish(figure, "search", "Hyper-parameter search", caption)


def _draw_course(axes: Axes, outcome: SearchOutcome) -> None:
    values = outcome.values
    numbers = np.array([number for number, value in enumerate(values) if value is not None])
    finished = np.array([value for value in values if value is not None])
    stopped = [number for number, value in enumerate(values) if value is None]
    if len(finished):
        best = np.maximum.accumulate(finished) if outcome.maximise else np.minimum.accumulate(finished)
        axes.plot(numbers, finished, "o", color=BLUE, markersize=5, alpha=0.6, label="finished trial")
        axes.step(numbers, best, where="post", color=ORANGE, label="best so far")
    if stopped:
        height = float(finished.min() if len(finished) else 0.0)
        axes.plot(stopped, [height] * len(stopped), "x", color=SOFT, markersize=5, label="stopped early or failed")
    axes.set_xlabel("trial")
    axes.set_ylabel(f"{MEASURES[outcome.measure]}, out of fold")
    axes.locator_params(axis="x", integer=True)
    legend_above(axes)


def _draw_importances(axes: Axes, ordered: Sequence[tuple[str, float]]) -> None:
    places = np.arange(len(ordered))
    axes.barh(places, [share for _, share in ordered], height=0.62, color=BLUE, alpha=0.85)
    axes.set_yticks(places, [shortened(words(name)) for name, _ in ordered])
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    for place, (_, share) in zip(places.tolist(), ordered, strict=True):
        axes.annotate(
            percent(round(share, 2)), (share, place), xytext=(4, 0), textcoords="offset points", va="center",
            size=9, color=INK,
        )  # fmt: skip
    axes.set_xlim(0, 1.15 * max(0.1, *(share for _, share in ordered)))
    axes.set_xlabel("importance of the parameter")
    percent_axis(axes, "x")
