"""All faults, and what it costs to inject one: outcome, seconds, growth of memory."""

from __future__ import annotations

import importlib
import json
import re
import resource
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.fault import Fault

FOLDER = Path(__file__).parent
START_SECONDS = 60.0
"""Room for a process to start and import what it needs, on a busy machine."""


@dataclass(frozen=True)
class Injected:
    """What came of one fault."""

    outcome: str
    """What the fault's `inject` returned, or why it failed."""
    seconds: float
    mib: float
    """Growth of the resident memory at its peak, in MiB."""
    problem: str = ""
    """Why this is not what must come of it; empty when all is well."""


def all_faults() -> list[Fault]:
    """The faults of every module `*_faults` of this folder, by module and in their order."""
    names = sorted(path.stem for path in FOLDER.glob("*_faults.py"))
    faults = [fault for name in names for fault in importlib.import_module(f"tests.faults.{name}").FAULTS]
    repeated = len(faults) - len({fault.name for fault in faults})
    if repeated:
        raise ValueError(f"{repeated} faults share a name with another")
    return faults


def inject(fault: Fault) -> Injected:
    """Inject a fault in this process; AssertionError if it breaks its bounds, or what must come of it does not."""
    before = _start_of_peak()
    started = time.monotonic()
    outcome = fault.inject()
    seconds = time.monotonic() - started
    mib = max(0.0, _peak_mib() - before)
    if seconds > fault.limit_seconds:
        raise AssertionError(f"took {seconds:.1f} s, at most {fault.limit_seconds:.0f} are allowed")
    if mib > fault.limit_mib:
        raise AssertionError(f"took {mib:.0f} MiB, at most {fault.limit_mib:.0f} are allowed")
    return Injected(outcome, seconds, mib)


def inject_in_own_process(fault: Fault) -> Injected:
    """Inject a fault in a process of its own, which is ended when it takes too long; never raises for the fault."""
    command = [sys.executable, "-m", "tests.faults", "--inject", fault.name]
    started = time.monotonic()
    try:
        process = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=fault.limit_seconds + START_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Injected("", time.monotonic() - started, 0.0, f"hangs: ended after {time.monotonic() - started:.0f} s")
    if process.returncode:
        last_line = next(iter(process.stderr.strip().splitlines()[::-1]), f"exit code {process.returncode}")
        return Injected("", time.monotonic() - started, 0.0, last_line)
    return Injected(**json.loads(process.stdout.splitlines()[-1]))


def as_json(injected: Injected) -> str:
    """One line that `inject_in_own_process` reads back."""
    return json.dumps(asdict(injected))


def _start_of_peak() -> float:
    """Resident memory now, in MiB; where the kernel allows it, peaks are counted from here."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak to what is resident now
    return _peak_mib()


def _peak_mib() -> float:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # not Linux: in bytes on macOS
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0.0
