"""A server with bad behaviour: raw sockets on loopback, which answer as a behaviour tells them to.

    with FaultServer(closes_at_once) as server:
        HttpClient(http_limits(settings), allow_private_hosts=True).get_text(f"{server.url}/index.txt")

A behaviour is a function of a `Visit`, one connection whose request has been read. Connections are served by a bounded
number of threads, which all end with the server, whatever the client does.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from types import TracebackType

THREADS = 24
REQUEST_BYTES = 256 * 1024


@dataclass
class Visit:
    """One connection: what was asked on it, and the means to answer."""

    connection: socket.socket
    path: str
    server: FaultServer

    @property
    def good(self) -> bytes:
        """What an honest server would have sent for the path."""
        return good_body(self.path)

    def send(self, *parts: bytes | str) -> None:
        """Send parts; text goes as Latin-1."""
        for part in parts:
            self.connection.sendall(part.encode("latin-1") if isinstance(part, str) else part)

    def answer(self, body: bytes = b"", status: str = "200 OK", *headers: str | bytes, length: bool = True) -> None:
        """A proper answer, but for what the arguments make of it."""
        lines: list[str | bytes] = [f"HTTP/1.1 {status}", *headers]
        if length:
            lines.append(f"Content-Length: {len(body)}")
        self.head(*lines)
        self.send(body)

    def head(self, *lines: str | bytes) -> None:
        """Lines, and the blank one that ends a head; it says that the connection will be closed."""
        # Else the client may ask again on a connection that is about to be closed.
        for line in (*lines, "Connection: close"):
            self.send(line, b"\r\n")
        self.send(b"\r\n")

    def drip(self, content: bytes, every: float = 0.02) -> None:
        """Send bytes one by one, then nothing more; ends when the client leaves or the server stops."""
        for number in range(len(content)):
            self.send(content[number : number + 1])
            if self.server.stopped.wait(every):
                return
        self.wait()

    def for_ever(self, content: bytes, every: float = 0.0) -> None:
        """Send the same again and again until the client leaves."""
        while not self.server.stopped.wait(every):
            self.send(content)

    def wait(self) -> None:
        """Hold the connection and say nothing until the client leaves or the server stops."""
        self.connection.settimeout(0.05)
        while not self.server.stopped.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(4096):
                    return

    def reset(self) -> None:
        """End the connection by a reset rather than by its proper end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Behaviour = Callable[[Visit], None]


class FaultServer:
    """Serves one behaviour; `url` is its address, `paths` what it was asked for, in order.

    With `context` it speaks TLS, under the name `localhost`. With `greets`, the behaviour runs before anything is read.
    """

    def __init__(self, behaviour: Behaviour, *, context: ssl.SSLContext | None = None, greets: bool = False) -> None:
        self._behaviour = behaviour
        self._context = context
        self._greets = greets
        self.stopped = threading.Event()
        self.paths: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}" if context else f"http://127.0.0.1:{self.port}"
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fault server")
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> FaultServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            served = self._pool.submit(self._serve, connection)
            # One that is never served, since the server ends before, is closed as well.
            served.add_done_callback(lambda _served, accepted=connection: accepted.close())

    def _serve(self, connection: socket.socket) -> None:
        # A client that leaves in the middle is no news here.
        with contextlib.suppress(OSError, ValueError), connection:
            connection.settimeout(5)
            if self._greets:
                self._behaviour(Visit(connection, "", self))
                return
            speaking = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            with contextlib.suppress(OSError, ValueError), speaking:
                path = _asked_path(speaking)
                self.paths.append(path)
                # One request a connection: it is closed behind the behaviour.
                self._behaviour(Visit(speaking, path, self))


def _asked_path(connection: socket.socket) -> str:
    """The path of the request on a connection; ValueError if there is none."""
    # Without `makefile`, which would keep the connection open after a behaviour has closed it.
    request = b""
    while b"\r\n\r\n" not in request:
        more = connection.recv(65_536)
        if not more or len(request) > REQUEST_BYTES:
            raise ValueError("no request")
        request += more
    return request.split(b" ")[1].decode("latin-1")


@cache
def good_body(path: str) -> bytes:
    """The proper content of the four kinds of path: an index, a delta file, a page of JSON, a photo."""
    if path.startswith("/index"):
        return b"openfoodfacts_products_1768262400_1768348800.json.gz\n"
    if path.startswith("/delta"):
        return gzip.compress(b'{"code": "3018333000014", "product_name": "Champagne brut"}\n' * 20, mtime=0)
    if path.startswith("/photo"):
        from PIL import Image

        stream = io.BytesIO()
        Image.new("RGB", (32, 24), (200, 180, 90)).save(stream, "JPEG")
        return stream.getvalue()
    return json.dumps({"hints": [{"food": {"foodId": "food_a", "label": "Champagne"}}]}).encode()
