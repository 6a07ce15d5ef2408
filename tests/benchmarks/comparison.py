"""Figures of a run against those kept in `figures.json`, which is committed: which are worse, beyond their spread.

A figure is worse when its whole spread lies on the worse side of the kept one's whole spread. The spread is the
interval of the median, or all of the runs where they are too few for one. Ratios and memory are compared whatever
machine they were measured on; times only with times of the same machine.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypedDict

from tests.benchmarks.measure import Figure, better_by_default, kind_of

FIGURES = Path(__file__).parent / "figures.json"

Verdict = Literal["better", "same", "worse", "new", "another machine"]
"""`new`: nothing is kept to compare with, or it is in another unit."""


class Kept(TypedDict):
    """A kept figure and where it was measured."""

    figure: Figure
    machine: str


def read_kept(path: Path = FIGURES) -> dict[str, Kept]:
    """The kept figures by name; none if there is no such file."""
    return json.loads(path.read_text()) if path.exists() else {}


def keep(figures: Mapping[str, Figure], machine: str, *, all_measured: bool, path: Path = FIGURES) -> None:
    """Put measured figures in the place of those kept; the others stay, unless all that there are were measured."""
    kept = {} if all_measured else read_kept(path)
    kept |= {name: Kept(figure=figure, machine=machine) for name, figure in figures.items()}
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def compare(figure: Figure, kept: Kept | None, machine: str) -> Verdict:
    """What became of a figure that was measured on `machine`."""
    if kept is None or kept["figure"]["unit"] != figure["unit"]:
        return "new"
    if kind_of(figure["unit"]) == "time" and kept["machine"] != machine:
        return "another machine"
    (low, high), (old_low, old_high) = spread(figure), spread(kept["figure"])
    if low > old_high or high < old_low:
        is_higher = low > old_high
        wants_higher = figure.get("better", better_by_default(figure["unit"])) == "higher"
        return "better" if is_higher == wants_higher else "worse"
    return "same"


def spread(figure: Figure) -> tuple[float, float]:
    """The interval of the median, or smallest and largest of too few runs for one."""
    low, high = figure.get("interval", (figure["min"], figure["max"]))
    return low, high


def this_machine() -> str:
    """What times depend on, e.g. `2 x AMD EPYC 7B13, Python 3.11`."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(errors="replace").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{os.cpu_count()} x {model}, Python {'.'.join(platform.python_version_tuple()[:2])}"
