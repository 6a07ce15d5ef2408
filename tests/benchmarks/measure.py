"""Figures of paired runs: what is compared is measured side by side, so that a busy machine slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypedDict


class Figure(TypedDict):
    """One measured figure with its spread over the paired runs."""

    median: float
    min: float
    max: float
    unit: str


def summarise(values: Sequence[float], unit: str) -> Figure:
    """Median and spread of the values of all runs."""
    return Figure(median=statistics.median(values), min=min(values), max=max(values), unit=unit)


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
