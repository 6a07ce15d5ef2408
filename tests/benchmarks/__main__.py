"""`make bench`: runs every benchmark, prints each figure with its spread, writes them to `.cuvee/bench.json`.

A benchmark is a module of this folder with a function `run()` that returns
`{name: {"median": …, "min": …, "max": …, "unit": …}}`, measured side by side in at least five paired runs.
Name some to run only those: `python -m tests.benchmarks photo_path warehouse_load`.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path

from rich.console import Console
from rich.table import Table

from include.settings import load_settings

FOLDER = Path(__file__).parent


def benchmark_names() -> list[str]:
    """Modules of this folder that define `run`."""
    modules = (path for path in sorted(FOLDER.glob("*.py")) if "\ndef run(" in path.read_text())
    return [path.stem for path in modules]


def main(wanted: list[str]) -> int:
    """Run the benchmarks named, or all; figures of earlier runs stay in the file. Exit code 1 if one failed."""
    console = Console()
    target = load_settings().state_dir / "bench.json"
    results = json.loads(target.read_text()) if target.exists() else {}
    failed = []
    for name in wanted or benchmark_names():
        console.print(f"[bold]{name}[/] …")
        try:
            results |= importlib.import_module(f"tests.benchmarks.{name}").run()
        except Exception:
            traceback.print_exc()
            failed.append(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    table = Table("figure", "median", "min", "max", "unit")
    for name, figure in sorted(results.items()):
        table.add_row(name, *(f"{figure[key]:.3g}" for key in ("median", "min", "max")), figure["unit"])
    console.print(table)
    console.print(f"written to {target}")
    if failed:
        console.print(f"[bold red]failed:[/] {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
