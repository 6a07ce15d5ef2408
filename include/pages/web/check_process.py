"""Runs `python -m include check` in a process of its own: it loads MLflow, which the pages do without."""

from __future__ import annotations

import json
import subprocess
import sys

from include.errors import CuveeError
from include.settings import PROJECT_ROOT

CHECK_SECONDS = 120


def check_platform() -> list[str]:
    """What does not hold, one sentence each, by the settings of this process's environment; empty when all is well.

    Raises CuveeError with the reason when the check cannot be made, e.g. because the warehouse does not answer.
    """
    command = [sys.executable, "-m", "include", "check", "--json"]
    try:
        ended = subprocess.run(
            command,
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=CHECK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CuveeError(f"it took longer than {CHECK_SECONDS} seconds") from None
    try:
        findings = json.loads(ended.stdout)
    except ValueError:
        reason = ended.stderr.strip().splitlines()[-1:] or [f"exit code {ended.returncode}"]
        raise CuveeError(reason[0].removeprefix("error: ")) from None
    return [f"{found['what']}: {found['problem']}" for found in findings if found["problem"]]
