"""`make faults`: injects every fault, each in a process of its own, and prints what came of it, at what cost.

python -m tests.faults                 all of them
python -m tests.faults body redirect   those whose name holds one of the words
python -m tests.faults --quick         those that `make test` injects
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from tests.faults.fault import Fault
from tests.faults.injection import Injected, all_faults, as_json, inject, inject_in_own_process


def main(arguments: list[str]) -> int:
    """Exit code 1 if one fault broke its bounds or what must come of it did not, 2 if no fault fits the words."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", help="inject only faults whose name holds one of these")
    parser.add_argument("--quick", action="store_true", help="inject only what `make test` injects")
    parser.add_argument("--inject", metavar="NAME", help="inject one fault in this process and print what it cost")
    options = parser.parse_args(arguments)
    faults = all_faults()
    if options.inject:
        named = [fault for fault in faults if fault.name == options.inject]
        if not named:
            parser.error(f"there is no fault {options.inject!r}")
        sys.stdout.write(as_json(inject(named[0])) + "\n")
        return 0
    chosen = [fault for fault in faults if _is_chosen(fault, options.words, options.quick)]
    console = Console()
    if not chosen:
        console.print(f"no fault fits; there are {len(faults)}")
        return 2
    injected = [inject_in_own_process(fault) for fault in track(chosen, "injecting faults", console=console)]
    console.print(_table(chosen, injected))
    failed = [fault.name for fault, one in zip(chosen, injected, strict=True) if one.problem]
    for name in failed:
        console.print(f"failed: {escape(name)}", style="bold red")
    console.print(f"{len(chosen) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _is_chosen(fault: Fault, words: list[str], quick: bool) -> bool:
    return (fault.is_quick or not quick) and (not words or any(word in fault.name for word in words))


def _table(faults: list[Fault], injected: list[Injected]) -> Table:
    table = Table("fault", "what came of it", "seconds", "allowed", "MiB", "allowed")
    for fault, one in zip(faults, injected, strict=True):
        outcome = f"[bold red]{escape(one.problem)}[/]" if one.problem else escape(one.outcome)
        costs = (f"{one.seconds:.1f}", f"{fault.limit_seconds:.0f}", f"{one.mib:.0f}", f"{fault.limit_mib:.0f}")
        table.add_row(escape(fault.name), outcome, *costs)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
