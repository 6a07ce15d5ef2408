"""The sandbox food APIs as a background program of this machine.

sandbox = SandboxProcess(settings)
sandbox.start(first_day=date(2026, 1, 5), days=3)
requests.get(sandbox.url + "/data/delta/index.txt", timeout=5)
sandbox.stop()
"""

from __future__ import annotations

import os
import sys
import time
from datetime import date
from pathlib import Path

import requests

from include.errors import ConfigurationError
from include.local.airflow_config import settings_environment
from include.local.processes import HOST, BackgroundProgram, require_free_port
from include.settings import PROJECT_ROOT, Settings

START_SECONDS = 120.0
"""Reading a folder of real records takes the longest part."""


class SandboxProcess:
    """The sandbox of one state folder."""

    def __init__(self, settings: Settings) -> None:
        """Describe the sandbox on `settings.sandbox_port`; nothing is touched yet."""
        self._settings = settings
        self._program = BackgroundProgram("sandbox", settings.state_dir / "sandbox")

    @property
    def url(self) -> str:
        """Address of both APIs and of the photos, e.g. `http://127.0.0.1:8099`."""
        return f"http://{HOST}:{self._settings.sandbox_port}"

    @property
    def log(self) -> Path:
        """The log of the sandbox."""
        return self._program.log

    def start(self, *, first_day: date, days: int, replay: Path | None = None) -> None:
        """Serve `days` days from `first_day` on, of the demo catalogue or of the records in `replay`.

        Does nothing if exactly that is served already; restarts if something else is. Raises
        ConfigurationError if the port is taken or the sandbox does not answer, with the end of its log.
        """
        command = [
            sys.executable, "-m", "include.sandbox", "--port", str(self._settings.sandbox_port),
            "--first-day", first_day.isoformat(), "--days", str(days),
        ]  # fmt: skip
        if replay is not None:
            command += ["--replay", str(replay.resolve())]
        running = self._program.process()
        if running is not None and running.cmdline() == command:
            self._wait()
            return
        self._program.stop()
        require_free_port(self._settings.sandbox_port, "CUVEE_SANDBOX_PORT", "the sandbox")
        self._program.start(command, dict(os.environ) | settings_environment(self._settings), PROJECT_ROOT)
        self._wait()

    def stop(self) -> bool:
        """Stop it; True if it ran."""
        return self._program.stop(5.0)

    def is_running(self) -> bool:
        """Whether its process is alive."""
        return self._program.is_running()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with requests.Session() as session:
            session.trust_env = False
            while True:
                try:
                    # Any answer will do: the faults of the sandbox may make it a bad one.
                    session.get(f"{self.url}/sandbox/health", timeout=5)
                    return
                except requests.RequestException:
                    pass
                if not self.is_running() or time.monotonic() > deadline:
                    what = "did not answer in time" if self.is_running() else "has ended"
                    self._program.stop()
                    raise ConfigurationError(
                        f"The sandbox {what}. The end of its log ({self.log}):\n{self._program.log_tail()}"
                    )
                time.sleep(0.1)
