"""Removes the state folder: everything that the platform has made on this machine, and nothing else.

The default folder (`.cuvee` in the project) goes as a whole. A folder named by CUVEE_STATE_DIR may hold other
things, so only what the platform puts there goes, and the folder itself if it is empty then.
Needs no package: `python3 include/local/clean.py`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from include.local.preflight import PORTS, PROJECT_ROOT, is_alive, recorded_pid, state_folder

MADE_HERE = (
    "airflow", "bench.json", "cache", "demo.json", "demo_catalogue", "encoders", "http", "lake", "logs", "mlflow",
    "models", "postgres", "rate_limits", "sandbox", "tmp",
)  # fmt: skip


def clean(state: Path) -> list[str]:
    """Remove the platform's part of `state`; the names that are left, because they are not the platform's."""
    if state == PROJECT_ROOT / ".cuvee":
        shutil.rmtree(state, ignore_errors=False)
        return []
    for name in MADE_HERE:
        path = state / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.is_symlink() or path.exists():
            path.unlink()
    left = sorted(path.name for path in state.iterdir())
    if not left:
        state.rmdir()
    return left


def main() -> int:
    """Clean the folder of this environment; 1 if something still runs there."""
    state = state_folder(os.environ)
    if not state.exists():
        sys.stderr.write(f"{state} does not exist: nothing to remove\n")
        return 0
    running = [program for _, _, program, record in PORTS if is_alive(recorded_pid(state / record))]
    if running:
        sys.stderr.write(f"error: {' and '.join(running)} still runs in {state}: make down\n")
        return 1
    left = clean(state)
    sys.stderr.write(f"removed {state}\n" if not left else f"cleaned {state}; left there: {', '.join(left)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
