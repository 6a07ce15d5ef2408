"""The operating system account that PostgreSQL runs under: PostgreSQL refuses to run as root.

A normal user runs the server as themselves. Root (a container, usually) hands it to `nobody`, which
exists everywhere, so that no account is added to the machine.
"""

from __future__ import annotations

import logging
import os
import pwd
import stat
import subprocess
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError

logger = logging.getLogger(__name__)

UNPRIVILEGED = "nobody"


class ServerAccount:
    """Whose rights the server's processes have, and who owns its files."""

    def __init__(self) -> None:
        self._entry = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None

    def process_options(self) -> dict[str, Any]:
        """Arguments for `subprocess.run` that start a process under this account."""
        if self._entry is None:
            return {}
        return {"user": self._entry.pw_uid, "group": self._entry.pw_gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a file or an empty folder to this account."""
        if self._entry is not None:
            os.chown(path, self._entry.pw_uid, self._entry.pw_gid)

    def open_way(self, folder: Path) -> None:
        """Let this account pass through the folders above `folder`, as far as they are closed to it.

        Adds the search permission (`o+x`) only: names in those folders stay hidden. Raises
        ConfigurationError when the permission cannot be given.
        """
        if self._entry is None:
            return
        for parent in folder.resolve().parents:
            mode = stat.S_IMODE(parent.stat().st_mode)
            if mode & stat.S_IXOTH:
                continue
            logger.warning("PostgreSQL runs as %s: letting others pass through %s (chmod o+x)", UNPRIVILEGED, parent)
            try:
                parent.chmod(mode | stat.S_IXOTH)
            except OSError as error:
                raise ConfigurationError(
                    f"PostgreSQL does not run as root, and the account '{UNPRIVILEGED}' cannot pass through {parent} "
                    f"({error}). Run as a normal user, or move the checkout and CUVEE_STATE_DIR to an open folder."
                ) from error

    def make_runnable(self, installation: Path) -> None:
        """Let this account read and run the programs below `installation`, whatever umask installed them."""
        if self._entry is None:
            return
        self.open_way(installation / "bin")
        program = installation / "bin" / "postgres"
        probe = subprocess.run([program, "--version"], capture_output=True, check=False, **self.process_options())
        if probe.returncode == 0:
            return
        for path in [installation, *installation.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
