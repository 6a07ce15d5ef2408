"""The version of the running program, which models and snapshots record."""

from __future__ import annotations

import subprocess
import tomllib
from functools import lru_cache

from include.settings import PROJECT_ROOT


@lru_cache(maxsize=1)
def code_version() -> str:
    """The project's version, with the commit where it runs from a checkout: `0.1.0+5dd163a`, `0.1.0+5dd163a.changed`.

    `changed` means that tracked files differ from the commit.
    """
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    version = str(project["project"]["version"])
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return version
    return f"{version}+{commit}{'.changed' if _git('status', '--porcelain', '--untracked-files=no') else ''}"


def _git(*arguments: str) -> str:
    """What git answers about the project's folder; empty where there is no git or no checkout."""
    try:
        return subprocess.run(
            ["git", "-C", str(PROJECT_ROOT), *arguments], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
