"""Figures of one way to predict: confusion, labels, slices, calibration, coverage."""

from __future__ import annotations

import numpy as np

from include.models.evaluation.results import ModalityResult
from include.pages.drawing import (
    BLUE,
    INK,
    LINE,
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

_ON_DARK, _RIGHT, _WRONG = "#fefefe", "#0b5a9f", "#d55e01"
"""A hair beside the colours of the style: figures on filled cells are as readable on a dark page."""
_DARK_FROM = 0.6
"""Share from which a cell of the confusion matrix is dark enough for light figures."""


def judgement_figures(key: str, result: ModalityResult) -> list[Drawing]:
    """All figures of one entry of `Evaluation.modalities`; `key` begins the names of their files.

    Slices are left out where none were measured.
    """
    drawings = [
        coverage_figure(key, result),
        reliability_figure(key, result),
        confusion_figure(key, result),
        label_figure(key, result),
    ]
    return [*drawings, slice_figure(key, result)] if result.slices else drawings


def confusion_figure(key: str, result: ModalityResult) -> Drawing:
    """The confusion matrix: counts, a row per true label, shaded by share of the row."""
    from matplotlib.patches import Rectangle

    count = len(result.label_names)
    matrix = np.array(result.confusion, dtype=np.int64).reshape(count, count)
    shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    names = [shortened(words(label)) for label in result.label_names]
    many = count > 10
    side = max(3.6, (0.4 if many else 0.58) * count)
    name = f"{key}_confusion"
    with house_style(name):
        figure, axes = new_figure(side + 2.2, side + 1.4)
        for row, column in np.argwhere(matrix > 0).tolist():
            share = float(shares[row, column])
            colour = _RIGHT if row == column else _WRONG
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=colour, alpha=max(0.08, share), lw=0))
            axes.text(
                column, row, str(matrix[row, column]), ha="center", va="center",
                size=9 if many else 10, color=_ON_DARK if share >= _DARK_FROM else INK,
            )  # fmt: skip
        axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), aspect="equal")
        axes.set_xticks(range(count), names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(count), names)
        axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
        axes.grid(False)
        axes.grid(True, which="minor", color=LINE, linewidth=0.6)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("predicted label (number of products)")
        axes.set_ylabel("true label")
        return finish(
            figure, name, "Confusion matrix",
            "Products by true label (row) and predicted label (column). Blue is right, orange is wrong; the deeper the "
            "colour, the larger the share of its row.",
        )  # fmt: skip


def reliability_figure(key: str, result: ModalityResult) -> Drawing:
    """Accuracy by confidence, and the number of products behind each value."""
    bins = result.reliability
    confidence = [one.confidence for one in bins]
    name = f"{key}_reliability"
    with house_style(name):
        figure, whole = new_figure(5.6, 5.4)
        whole.remove()
        curve, bars = figure.subplots(2, 1, sharex=True, height_ratios=(4.0, 1.0))
        curve.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1.2, label="perfect calibration")
        for one in bins:
            curve.plot([one.confidence] * 2, [one.confidence, one.accuracy], color=ORANGE, linewidth=2.2, alpha=0.8)
        error = f"this model (calibration error {result.calibration_error.value:.3f})"
        curve.plot(
            confidence, [one.accuracy for one in bins], "o-", color=BLUE, markersize=5.5, label=error, clip_on=False
        )
        curve.set(xlim=(0, 1), ylim=(0, 1), ylabel="share that is right")
        legend_above(curve)
        largest = max((one.count for one in bins), default=1)
        for one in bins:
            bars.bar((one.low + one.high) / 2, one.count, width=0.9 * (one.high - one.low), color=BLUE, alpha=0.85)
            bars.annotate(
                f"{one.count:,}", ((one.low + one.high) / 2, one.count), xytext=(0, 2), ha="center",
                textcoords="offset points", size=8.5, color=INK,
            )  # fmt: skip
        bars.set(ylim=(0, 1.25 * largest), xlabel="confidence of the model", ylabel="products")
        bars.set_yticks([])
        bars.grid(False)
        percent_axis(bars, "x")
        percent_axis(curve, "y")
        figure.align_ylabels()
        return finish(
            figure, name, "Reliability",
            "Accuracy by confidence (points); on the dashed line, confidence equals "
            "accuracy. Below: the number of products in each range of confidence.",
        )  # fmt: skip


def coverage_figure(key: str, result: ModalityResult) -> Drawing:
    """Precision of accepted products by coverage, and the model's operating point."""
    points = sorted(result.coverage_curve, key=lambda point: point.coverage)
    chosen = result.operating_point
    name = f"{key}_coverage"
    with house_style(name):
        figure, axes = new_figure(5.6, 3.9)
        axes.plot(
            [point.coverage for point in points], [point.precision for point in points],
            color=BLUE, label="by confidence", marker="o" if len(points) == 1 else "",
        )  # fmt: skip
        target = f"target {percent(chosen.target_precision)}"
        axes.axhline(chosen.target_precision, color=SOFT, linestyle="--", linewidth=1.2, label=target)
        seen = [chosen.target_precision, *(point.precision for point in points)]
        if chosen.precision is not None:
            label = f"in use: {percent(chosen.precision.value)} right of {percent(chosen.coverage.value)} accepted"
            place = (chosen.coverage.value, chosen.precision.value)
            axes.plot(*place, "D", color=ORANGE, markersize=8, label=label, clip_on=False, zorder=5)
            seen.append(chosen.precision.value)
        room = max(0.005, 0.1 * (1.0 - min(seen)))
        axes.set(xlim=(0, 1), ylim=(min(seen) - room, 1.0 + room / 2))
        axes.set_xlabel("coverage: share of the products that is accepted")
        axes.set_ylabel("precision: share that is right")
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        axes.legend(loc="lower left", frameon=True, facecolor="none", edgecolor="none")
        return finish(
            figure, name, "Coverage and precision",
            "Products accepted in order of confidence: the share accepted (coverage) and the share of those that is "
            "right (precision). The diamond is the model's operating point, with thresholds chosen without the tested "
            "products; the rest goes to review.",
        )  # fmt: skip


def label_figure(key: str, result: ModalityResult) -> Drawing:
    """F1 of each label as a bar, the weakest first, with precision and recall as marks."""
    rows = sorted(result.classes, key=lambda scores: (scores.f1, scores.label))
    places = np.arange(len(rows))
    name = f"{key}_labels"
    with house_style(name):
        figure, axes = new_figure(6.8, 1.3 + 0.34 * max(1, len(rows)))
        axes.barh(places, [row.f1 for row in rows], height=0.62, color=BLUE, alpha=0.35, label="F1")
        axes.plot(
            [row.precision for row in rows], places, "<", color=BLUE, markersize=6, label="precision", clip_on=False
        )
        axes.plot([row.recall for row in rows], places, ">", color=ORANGE, markersize=6, label="recall", clip_on=False)
        for place, row in zip(places.tolist(), rows, strict=True):
            beside(axes, place, f"{100 * row.f1:.1f} %", f"n={row.support:,}")
        axes.set_yticks(places, [shortened(words(row.label)) for row in rows])
        axes.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6), xlabel="F1, precision, recall")
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        percent_axis(axes, "x")
        legend_above(axes)
        return finish(
            figure, name, "Scores by label",
            "F1 of each label (bar, figure at the right), the weakest first, with its precision and recall; "
            "n is the number of products.",
        )  # fmt: skip


def slice_figure(key: str, result: ModalityResult) -> Drawing:
    """Accuracy on parts of the products (no photo, short text, French, …) with intervals, beside that on all."""
    rows = result.slices
    places = np.arange(len(rows))
    name = f"{key}_slices"
    values = np.array([row.accuracy.value for row in rows])
    reach = np.array(
        [[row.accuracy.value - row.accuracy.low, row.accuracy.high - row.accuracy.value] for row in rows]
    ).T
    lowest = min([row.accuracy.low for row in rows] + [result.accuracy.value])
    start = max(0.0, float(np.floor((lowest - 0.01) * 20) / 20))
    with house_style(name):
        figure, axes = new_figure(6.8, 1.3 + 0.34 * max(1, len(rows)))
        axes.errorbar(
            values, places, xerr=np.maximum(reach, 0.0), fmt="o", color=BLUE, markersize=6.5, elinewidth=1.6, capsize=3,
            label="accuracy and its 95 % interval", clip_on=False,
        )  # fmt: skip
        everything = f"all products: {percent(result.accuracy.value)}"
        axes.axvline(result.accuracy.value, color=ORANGE, linestyle="--", linewidth=1.4, label=everything)
        for place, row in zip(places.tolist(), rows, strict=True):
            beside(axes, place, f"{100 * row.accuracy.value:.1f} %", f"n={row.products:,}")
        axes.set_yticks(places, [shortened(words(row.name)) for row in rows])
        axes.set(xlim=(start, 1.0), ylim=(len(rows) - 0.4, -0.6), xlabel="accuracy")
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        percent_axis(axes, "x")
        legend_above(axes)
        return finish(
            figure, name, "Accuracy by slice",
            "Accuracy on parts of the products, with its 95 % interval; the dashed line is the accuracy on all of "
            "them. n is the number of products.",
        )  # fmt: skip
