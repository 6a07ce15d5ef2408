"""Starting and stopping the sandbox, in a thread and as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import date

import pytest
import requests

from include.errors import ConfigurationError
from include.sandbox import serve
from include.sandbox.demo.demo_catalogue import DemoCatalogue
from include.sandbox.server import SandboxServer
from tests.conftest import PROJECT_ROOT


def test_it_listens_on_loopback_only_and_stops(catalogue: DemoCatalogue) -> None:
    with SandboxServer(catalogue) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert requests.get(f"{server.url}/sandbox/health", timeout=10).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/sandbox/health", timeout=10)


def test_a_taken_port_is_told_with_what_to_do(server: SandboxServer) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(ConfigurationError, match=r"cannot listen on 127\.0\.0\.1.*CUVEE_SANDBOX_PORT"):
        serve(None, date(2026, 1, 5), port=port)


def test_an_unknown_fault_is_told_before_anything_listens() -> None:
    with pytest.raises(ConfigurationError, match="no fault 'rudeness'"):
        serve(None, date(2026, 1, 5), port=0, faults=["rudeness"])


def test_the_process_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "include.sandbox", "--port", "0", "--first-day", "2026-02-01", "--days", "1"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            url = next(line for line in process.stderr if "sandbox on http" in line).split("sandbox on ")[1].split()[0]
            with requests.Session() as session:
                session.mount(url, requests.adapters.HTTPAdapter(max_retries=5))
                assert session.get(f"{url}/sandbox/health", timeout=20).json()["last_day"] == "2026-02-01"
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read() if process.stderr else None
            process.wait(20)


def test_the_process_explains_a_wrong_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("nothing")
    command = [sys.executable, "-m", "include.sandbox", "--port", "0", "--replay", str(folder)]
    finished = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 1
    assert "no records to replay" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("option", ["--fault", "--manner"])
def test_faults_are_switched_on_from_the_command_line_by_the_new_and_the_old_name(option: str) -> None:
    command = [sys.executable, "-m", "include.sandbox", option, "rudeness", "--port", "0"]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "no fault 'rudeness'; there are: rate_limit" in ended.stderr
