"""What the benchmark `relabel` runs in a process of its own, which imports no more than relabelling does."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from pydantic import SecretStr

from include.pipeline.relabelling.relabel import relabel_catalogue
from include.settings import Settings


def relabel(state_dir: str, warehouse_url: str, version: str) -> None:
    """Relabel, and print CPU seconds, peak memory in KiB, and what was relabelled."""
    settings = Settings(state_dir=Path(state_dir), warehouse_url=SecretStr(warehouse_url))
    summary = relabel_catalogue(settings, version)
    told = os.times()
    cpu = told.user + told.system + told.children_user + told.children_system
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    sys.stdout.write(json.dumps([cpu, int(peak[1]) if peak else 0, summary["relabelled"]]) + "\n")
