"""A real HTTP server on loopback that answers as a test tells it to, bad manners included."""

from __future__ import annotations

import gzip
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    """One response. `announced` is a Content-Length other than the body's; `pause` waits for the server's end."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    hang: bool = False
    drop: bool = False


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json", **headers})


def html(status: int, **headers: str) -> Answer:
    body = b"<!DOCTYPE html><html><body><h1>Service temporarily unavailable</h1></body></html>"
    return Answer(body, status, {"Content-Type": "text/html", **headers})


def gzip_lines(records: Iterable[Any]) -> bytes:
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    return gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)


@dataclass
class Request:
    path: str
    raw_query: str
    query: dict[str, str]
    headers: dict[str, str]


Answering = Callable[[Request], Answer]


class ApiServer:
    """Answers each path by a list (one after another, the last one again and again) or by a function."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answer]] = {}
        self._functions: dict[str, Answering] = {}
        self._counts: dict[str, int] = defaultdict(int)
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def on(self, path: str, *answers: Answer) -> None:
        self._answers[path] = list(answers)
        self._counts[path] = 0

    def on_call(self, path: str, function: Answering) -> None:
        self._functions[path] = function

    def asked(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if request.path in self._functions:
            return self._functions[request.path](request)
        answers = self._answers.get(request.path)
        if not answers:
            return Answer(b"not here", 404)
        number = self._counts[request.path]
        self._counts[request.path] += 1
        return answers[min(number, len(answers) - 1)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
                answer = api._answer(Request(parts.path, parts.query, query, dict(self.headers)))
                if answer.hang:
                    api._ended.wait(30)
                    return
                if answer.drop:
                    self.connection.close()
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                length = len(answer.body) if answer.announced is None else answer.announced
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_args: object) -> None:
                pass

        return Handler
