"""`make bench`: runs every benchmark, prints each figure with its spread, and says which are worse than those kept.

A benchmark is a module of this folder with a function `run()` that returns `{name: figure}`, measured side by side in
at least five paired runs (see `measure.Figure`). Name some to run only those: `python -m tests.benchmarks photo_path
warehouse_load`. With `--keep` (`make bench ARGS=--keep`) what was measured is written to `figures.json`, to be
committed: later runs are compared with it. The exit code is 1 if a benchmark failed or, without `--keep`, if a figure
is worse.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from include.settings import load_settings
from tests.benchmarks.comparison import FIGURES, Kept, Verdict, compare, keep, read_kept, spread, this_machine
from tests.benchmarks.measure import Figure

FOLDER = Path(__file__).parent
COLOURS: dict[Verdict, str] = {"better": "green", "worse": "bold red"}


def benchmark_names() -> list[str]:
    """Modules of this folder that define `run`."""
    modules = (path for path in sorted(FOLDER.glob("*.py")) if "\ndef run(" in path.read_text())
    return [path.stem for path in modules]


def main(arguments: Sequence[str], figures: Path = FIGURES) -> int:
    """Run the benchmarks named, or all, and compare with the figures of a file; the exit code.

    Figures of earlier runs stay in `bench.json`, and with `--keep` in `figures`, unless they are measured again.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(benchmark_names())}")
    parser.add_argument("--keep", action="store_true", help="write the figures to figures.json, to be committed")
    wanted = parser.parse_args(arguments)
    console = Console()
    measured, failed = _run(wanted.names or benchmark_names(), console)
    target = _add_to_all(measured)
    kept, machine = read_kept(figures), this_machine()
    verdicts = {name: compare(figure, kept.get(name), machine) for name, figure in measured.items()}
    console.print(_table(measured, kept, verdicts))
    console.print(f"written to {target}; measured on {machine}")
    if "another machine" in verdicts.values():
        console.print("Times were kept on another machine and say nothing here; ratios and memory are compared.")
    worse = sorted(name for name, verdict in verdicts.items() if verdict == "worse")
    if worse:
        console.print(f"[bold red]worse than the kept figures, beyond their spread:[/] {', '.join(worse)}")
    elif measured:
        console.print("no figure is worse than the kept one beyond its spread")
    if failed:
        console.print(f"[bold red]failed:[/] {', '.join(failed)}")
    if wanted.keep:
        keep(measured, machine, all_measured=not wanted.names and not failed, path=figures)
        console.print(f"kept in {figures}: commit it")
    return 1 if failed or (worse and not wanted.keep) else 0


def _run(names: Sequence[str], console: Console) -> tuple[dict[str, Figure], list[str]]:
    """The figures of all benchmarks, and which benchmarks failed."""
    measured: dict[str, Figure] = {}
    failed = []
    for name in names:
        console.print(f"[bold]{name}[/] …")
        try:
            measured |= importlib.import_module(f"tests.benchmarks.{name}").run()
        except Exception:
            traceback.print_exc()
            failed.append(name)
    return measured, failed


def _add_to_all(measured: Mapping[str, Figure]) -> Path:
    """Write the figures beside those of earlier runs; the path of the file."""
    target = load_settings().state_dir / "bench.json"
    results = json.loads(target.read_text()) if target.exists() else {}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results | dict(measured), indent=2, sort_keys=True) + "\n")
    return target


def _table(measured: Mapping[str, Figure], kept: Mapping[str, Kept], verdicts: Mapping[str, Verdict]) -> Table:
    table = Table("figure", "median", "min", "max", "its interval", "unit", "kept", "verdict")
    for name, figure in sorted(measured.items()):
        verdict = verdicts[name]
        colour = COLOURS.get(verdict)
        table.add_row(
            name,
            *(f"{figure[key]:.3g}" for key in ("median", "min", "max")),
            _range(figure) if "interval" in figure else "too few runs",
            figure["unit"],
            f"{kept[name]['figure']['median']:.3g} ({_range(kept[name]['figure'])})" if name in kept else "",
            f"[{colour}]{verdict}[/]" if colour else verdict,
        )
    return table


def _range(figure: Figure) -> str:
    low, high = spread(figure)
    return f"{low:.3g}–{high:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
