"""Who may import whom: the contracts in pyproject.toml hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def test_every_package_imports_only_what_it_may() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, check=False, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    contracts = (PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8").count("[[tool.importlinter.contracts]]")
    assert contracts > 5
    assert f"{contracts} kept, 0 broken" in result.stdout
