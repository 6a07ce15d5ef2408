"""Running the sandbox: in a thread for tests and commands, or in the foreground as a process."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterable
from types import TracebackType

import uvicorn
from fastapi import FastAPI

from include.errors import ConfigurationError
from include.sandbox.app import create_app
from include.sandbox.catalogue import FoodCatalogue
from include.sandbox.control import RequestLog
from include.sandbox.faults import Fault, Faults

logger = logging.getLogger(__name__)

_START_SECONDS = 20


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"the sandbox cannot listen on {host}:{port} ({error.strerror}); "
            "stop what uses the port, or choose another with --port or CUVEE_SANDBOX_PORT"
        ) from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _configuration(app: FastAPI) -> uvicorn.Config:
    # No access log: queries carry credentials.
    return uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=2
    )


class SandboxServer:
    """The sandbox in a thread of this process.

    with SandboxServer(DemoCatalogue(date(2026, 1, 1))) as server:
        requests.get(server.url + "/data/delta/index.txt", timeout=5)
        server.faults.replace(["rate_limit:first=2"])
    """

    def __init__(
        self,
        catalogue: FoodCatalogue,
        faults: Iterable[Fault | str] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Prepare; port 0 is any free one. Nothing listens before `start`."""
        self.catalogue = catalogue
        self.faults = Faults(faults)
        self.log = RequestLog()
        self._address = (host, port)
        self.url = ""
        """Address while it runs, e.g. `http://127.0.0.1:41234`."""

    def start(self) -> SandboxServer:
        """Listen, and return once requests are answered; raises ConfigurationError if the port is taken."""
        self._listener = _listen(*self._address)
        self.url = _url(self._listener)
        app = create_app(self.catalogue, self.faults, log=self.log)
        config = _configuration(app)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="sandbox", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise ConfigurationError(f"the sandbox did not start on {self.url} within {_START_SECONDS} seconds")
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Stop listening and wait for the thread."""
        self._server.should_exit = True
        self._thread.join(_START_SECONDS)
        self._listener.close()

    def __enter__(self) -> SandboxServer:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def serve_catalogue(
    catalogue: FoodCatalogue,
    faults: Iterable[Fault | str] = (),
    *,
    host: str = "127.0.0.1",
    port: int = 8099,
) -> None:
    """Serve a catalogue until the process is stopped (SIGINT or SIGTERM).

    Raises ConfigurationError if the port is taken or a fault is unknown.
    """
    app = create_app(catalogue, faults)
    listener = _listen(host, port)
    logger.info("sandbox on %s serves %s to %s", _url(listener), catalogue.first_day, catalogue.last_day)
    try:
        uvicorn.Server(_configuration(app)).run(sockets=[listener])
    finally:
        listener.close()
