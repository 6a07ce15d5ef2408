"""Figures of paired runs: what is compared is measured side by side, so that a busy machine slows both."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Literal, NotRequired, TypedDict

Direction = Literal["lower", "higher"]
Kind = Literal["time", "memory", "ratio"]
"""What a unit measures. Times depend on the machine; ratios and memory can be compared between machines."""


class Figure(TypedDict):
    """One measured figure with its spread over the paired runs."""

    median: float
    min: float
    max: float
    unit: str
    """Begins with what is measured: `s …` and `…/s` are times, `MiB …` is memory, all else a ratio (`x …`, `of …`)."""
    better: NotRequired[Direction]
    """Which way is better; by default lower for seconds and memory, higher for rates and ratios."""
    interval: NotRequired[tuple[float, float]]
    """Where the median lies with a confidence of 95 %; absent where the runs are too few to say."""


def summarise(values: Sequence[float], unit: str, better: Direction | None = None) -> Figure:
    """Median and spread of the values of all runs.

    Say `better` of a ratio of which less is better, e.g. an overhead: see `Figure.better`.
    """
    figure = Figure(median=statistics.median(values), min=min(values), max=max(values), unit=unit)
    figure["better"] = better or better_by_default(unit)
    interval = median_interval(values)
    if interval is not None:
        figure["interval"] = interval
    return figure


def kind_of(unit: str) -> Kind:
    """What a unit measures, e.g. `time` for `s in a fresh process` and for `photos/s`."""
    first = unit.split(maxsplit=1)[0].lower()
    if first in ("s", "ms") or first.endswith("/s"):
        return "time"
    return "memory" if first in ("kib", "mib", "gib") else "ratio"


def better_by_default(unit: str) -> Direction:
    """Less time and memory is better, more a second or a larger ratio is better."""
    if unit.split(maxsplit=1)[0].endswith("/s"):
        return "higher"
    return "higher" if kind_of(unit) == "ratio" else "lower"


def median_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """Two of the values between which the median of their distribution lies with at least this confidence.

    The ranks are the binomial distribution's (each value is below the median with probability one half), so that no
    shape is assumed. None for fewer values than that needs: six for 95 %.
    """
    ordered, count = sorted(values), len(values)
    outside, rank = 0.0, 0
    while rank < count // 2:
        outside += 2 * math.comb(count, rank) / 2**count
        if outside > 1 - confidence:
            break
        rank += 1
    return (ordered[rank - 1], ordered[count - rank]) if rank else None


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def paired_seconds(works: Sequence[Callable[[], object]], pairs: int) -> list[list[float]]:
    """Seconds of each work in each of `pairs` rounds: [round][work]; every other round runs them in reverse."""
    rounds = []
    for number in range(pairs):
        order = range(len(works)) if number % 2 == 0 else reversed(range(len(works)))
        measured = {index: seconds(works[index]) for index in order}
        rounds.append([measured[index] for index in range(len(works))])
    return rounds
