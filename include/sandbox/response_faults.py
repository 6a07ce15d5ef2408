"""Faults of whole answers, as a layer around the application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.sandbox.faults import Fault, Faults

HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>\n"
    b"<body><h1>503</h1><p>Too many people are looking at food. Please come back in a moment.</p></body></html>\n"
)
_ANYWHERE = ("rate_limit", "unavailable", "slow", "cut_connection", "oversize")
_JSON = (*_ANYWHERE, "truncated_json", "html_instead_of_json")
_DELTA_FILE = (*_ANYWHERE, "truncated_gzip")
_PADDING = b" " * 65_536


def _names_for(path: str) -> tuple[str, ...]:
    """The faults that a path shows unless a fault names a path of its own; photos show none."""
    if path.startswith("/data/delta/"):
        return _DELTA_FILE if path.endswith(".gz") else _ANYWHERE
    return _JSON if path.startswith(("/api/", "/cgi/")) else ()


class ResponseFaults:
    """ASGI layer that answers in the application's place, or spoils what it answers."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        """Wrap an application; `faults` may be changed while it runs."""
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        fault = None
        if scope["type"] == "http" and not path.startswith("/sandbox/"):
            address = f"{path}?{scope.get('query_string', b'').decode('latin-1')}"
            fault = self._faults.fault_for(path, _names_for(path), address)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.name == "slow":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.name == "rate_limit":
            headers = [(b"retry-after", f"{fault.seconds:g}".encode()), (b"content-type", b"text/plain")]
            await _answer(send, 429, headers, b"Too Many Requests\n")
        elif fault.name == "unavailable":
            await _answer(send, 503, [(b"content-type", b"text/html; charset=utf-8")], HTML_PAGE)
        elif fault.name == "html_instead_of_json":
            await _answer(send, 200, [(b"content-type", b"text/html; charset=utf-8")], HTML_PAGE)
        else:
            await self._spoil(fault, scope, receive, send)

    async def _spoil(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await _capture(self._app, scope, receive)
        other = [(key, value) for key, value in start["headers"] if key.lower() != b"content-length"]
        half = body[: len(body) // 2]
        if fault.name == "oversize":
            await send({**start, "headers": other})
            await send({"type": "http.response.body", "body": body, "more_body": True})
            for _ in range(fault.megabytes * 16):
                await send({"type": "http.response.body", "body": _PADDING, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif fault.name == "cut_connection":
            # The server notices that the promised length was not reached and closes the connection.
            await send({**start, "headers": [*other, (b"content-length", str(len(body) + 1).encode())]})
            await send({"type": "http.response.body", "body": half, "more_body": True})
        else:
            await _answer(send, start["status"], other, half)


async def _capture(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    messages: list[Message] = []
    keep: Callable[[Message], None] = messages.append

    async def hold(message: Message) -> None:
        keep(message)

    await app(scope, receive, hold)
    body = b"".join(message.get("body", b"") for message in messages if message["type"] == "http.response.body")
    return next(message for message in messages if message["type"] == "http.response.start"), body


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
