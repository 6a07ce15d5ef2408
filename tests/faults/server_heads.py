"""What can be wrong before the body of an answer: acceptance, status line, announcements, status, headers."""

from __future__ import annotations

from tests.faults.server import Behaviour, Visit
from tests.faults.server_case import API, Case

KEY = "kk7Qz19XvB2mN8sT"
"""The key that requests to the APIs carry; servers echo it, and no message or log may show it."""
BROKE = "connection broke|cannot be reached"
NO_HTTP = "no HTTP"
NOT_COMPLETE = "not complete after|within the time limit"


def line(status_line: bytes) -> Behaviour:
    """Another status line; the rest is proper."""

    def behaviour(visit: Visit) -> None:
        visit.send(status_line, b"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(visit.good))
        visit.send(visit.good)

    return behaviour


def with_headers(*headers: str | bytes, length: bool = True) -> Behaviour:
    """More headers; the rest is proper."""

    def behaviour(visit: Visit) -> None:
        visit.answer(visit.good, "200 OK", *headers, length=length)
        if not length:
            visit.connection.close()

    return behaviour


def status(words: str, *headers: str, body: bytes = b"sorry") -> Behaviour:
    """Another status; the rest is proper."""
    return lambda visit: visit.answer(body, words, *headers)


def announced_by(*lines: str, times: int = 1) -> Behaviour:
    """A proper answer after announcements."""

    def behaviour(visit: Visit) -> None:
        for _ in range(times):
            visit.head(*lines)
        visit.answer(visit.good)

    return behaviour


def endless_headers(visit: Visit) -> None:
    visit.send("HTTP/1.1 200 OK\r\n")
    visit.for_ever(b"X-Padding: " + b"x" * 1000 + b"\r\n")


def endless_line(visit: Visit) -> None:
    visit.send("HTTP/1.1 200 ")
    visit.for_ever(b"O" * 65_536)


def endless_header_line(visit: Visit) -> None:
    visit.send("HTTP/1.1 200 OK\r\nX-Long: ")
    visit.for_ever(b"x" * 65_536)


def cookies(visit: Visit) -> None:
    visit.answer(visit.good, "200 OK", *["Set-Cookie: a=" + "; b=" * 15_000 for _ in range(40)])


ACCEPTING = [
    Case("accept: closed at once", lambda visit: visit.connection.close(), "retried", BROKE, greets=True),
    Case("accept: reset at once", lambda visit: visit.reset(), "retried", BROKE, greets=True),
    Case("accept: closed after the request", lambda visit: visit.connection.close(), "retried", BROKE),
    Case("accept: reset after the request", lambda visit: visit.reset(), "retried", BROKE),
    Case("accept: never a word", lambda visit: visit.wait(), "retried", NOT_COMPLETE, "timeout", hangs=True),
    Case("accept: another protocol greets", lambda visit: visit.send("SSH-2.0-OpenSSH_9.6\r\n"), "retried",
         f"{NO_HTTP}|{BROKE}", greets=True),
]  # fmt: skip

STATUS_LINES = [
    Case("status line: noise", line(bytes(range(128, 256))), "retried", NO_HTTP),
    Case("status line: empty", line(b""), "retried", NO_HTTP),
    Case("status line: only a body", lambda visit: visit.send(visit.good), "retried", NO_HTTP),
    Case("status line: HTTP/2", line(b"HTTP/2 200 OK"), "retried", NO_HTTP),
    Case("status line: ICY", line(b"ICY 200 OK"), "retried", NO_HTTP),
    Case("status line: the code is a word", line(b"HTTP/1.1 fine OK"), "retried", NO_HTTP),
    Case("status line: the code is negative", line(b"HTTP/1.1 -200 OK"), "retried", NO_HTTP),
    Case("status line: the code has four digits", line(b"HTTP/1.1 2000 OK"), "retried", NO_HTTP),
    Case("status line: the code is 42", line(b"HTTP/1.1 42 OK"), "retried", NO_HTTP),
    Case("status line: no code", line(b"HTTP/1.1"), "retried", NO_HTTP),
    Case("status line: no reason", line(b"HTTP/1.1 200"), "ok", photo="ok"),
    Case("status line: many spaces", line(b"HTTP/1.1   200   OK  "), "ok", photo="ok"),
    Case("status line: the reason is no UTF-8", line(b"HTTP/1.1 200 \xff\xfe\x00"), "ok", photo="ok"),
    Case("status line: 70 KB", line(b"HTTP/1.1 200 " + b"O" * 70_000), "retried", f"{NO_HTTP}|{BROKE}"),
    Case("status line: endless", endless_line, "retried", f"{NO_HTTP}|{BROKE}"),
    Case("status line: byte by byte", lambda visit: visit.drip(b"HTTP/1.1 200 OK" * 100), "retried", NOT_COMPLETE,
         "timeout", hangs=True),
]  # fmt: skip

HOSTILE_WORDS = [
    Case("reason: echoes the key", lambda visit: visit.answer(b"", f"503 no {visit.path}"), "retried", "503 no"),
    Case("reason: echoes the key in a refusal", lambda visit: visit.answer(b"", f"403 no {KEY}"), "refused", "403 no"),
    Case("reason: echoes the key percent-encoded", status("503 %6b%6B" + KEY[2:]), "retried", "503 REDACTED"),
    Case("reason: 60 KB", status("503 " + "very " * 12_000), "retried", "503 very"),
    Case("reason: steers the terminal", status("503 \x1b[2J\x1b]0;owned\x07\x9b31m"), "retried", "503 \ufffd"),
    Case("reason: markup", status("403 [/foo][bold][link=http://evil.example]x[/]"), "refused", r"403 \[/foo\]"),
    Case("reason: turns the text round", status("500 \u00ad\xad"), "retried", "500"),
]

ANNOUNCEMENTS = [
    Case("announced: 100 once", announced_by("HTTP/1.1 100 Continue"), "ok", photo="ok"),
    Case("announced: 102 three times", announced_by("HTTP/1.1 102 Processing", times=3), "ok", photo="ok"),
    Case("announced: 103 with links", announced_by("HTTP/1.1 103 Early Hints", "Link: </a>; rel=preload"), "ok",
         photo="ok"),
    Case("announced: 101", status("101 Switching Protocols", "Upgrade: websocket"), "retried", "101"),
    Case("announced: 100 without end", lambda visit: visit.for_ever(b"HTTP/1.1 100 Continue\r\n\r\n"), "retried",
         NO_HTTP),
    Case("announced: 103 without end", lambda visit: visit.for_ever(b"HTTP/1.1 103 Hints\r\nA: b\r\n\r\n"), "retried",
         NO_HTTP),
    Case("announced: 100, byte by byte", lambda visit: visit.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 50), "retried",
         NOT_COMPLETE, "timeout", hangs=True),
    Case("announced: 100, then nothing", lambda visit: (visit.head("HTTP/1.1 100 Continue"), visit.wait()), "retried",
         NOT_COMPLETE, "timeout", hangs=True),
    Case("announced: 100 with headers without end", lambda visit: (visit.send("HTTP/1.1 100 Continue\r\n"),
         visit.for_ever(b"A: b\r\n")), "retried", f"{NO_HTTP}|{BROKE}"),
]  # fmt: skip

_RETRIED = {
    "201 Created": "201: not what", "202 Accepted": "202: not what", "203 Altered": "203: not what",
    "204 No Content": "204: it has no content", "205 Reset": "205: it has no content", "206 Partial": "206: a part",
    "226 IM Used": "226: not what", "304 Not Modified": "304: not modified", "408 Slow": "408 Slow",
    "425 Early": "425", "429 Too Many": "429 Too Many", "500 Oops": "500 Oops", "501 No": "501", "502 Bad": "502",
    "503 Busy": "503 Busy", "504 Late": "504", "505 Version": "505", "507 Full": "507", "511 Log in": "511",
    "520 Unknown": "520", "599 Odd": "599", "600 Odd": "600", "999 Denied": "999 Denied",
}  # fmt: skip
_REFUSED = {
    "300 Choose": "300 Choose: the server refuses", "305 Proxy": "305", "306 Unused": "306", "400 Bad": "400 Bad",
    "401 Who": "credentials", "402 Pay": "402", "403 No": "credentials", "404 Gone": "no such page",
    "405 Method": "405", "406 Not so": "406", "409 Conflict": "409", "410 Gone": "no such page any more",
    "413 Large": "413",
    "414 Long": "414", "418 Teapot": "418", "421 Elsewhere": "421", "431 Headers": "431", "451 Law": "451",
}  # fmt: skip

STATUSES = [
    *(Case(f"status: {words}", status(words), "retried", reason) for words, reason in _RETRIED.items()),
    *(
        Case(f"status: {words}", status(words), "refused", reason,
             photo="not_found" if words[:3] in ("404", "410") else "unreachable")
        for words, reason in _REFUSED.items()
    ),
    *(
        Case(f"status: 503, Retry-After: {after}", status("503 Busy", f"Retry-After: {after}"), "retried", "503 Busy")
        for after in ("inf", "1e999", "-5", "", "Fri, 99 Foo 0000 99:99:99 GMT", "9" * 5_000, "Mon, 01 Jan 0001 00:00")
    ),
    Case("status: 503 with an endless body", lambda visit: (visit.head("HTTP/1.1 503 Busy"),
         visit.for_ever(b"x" * 65_536)), "retried", "503 Busy"),
    Case("status: 404 with a body of gzip without end", lambda visit: (visit.head("HTTP/1.1 404 Gone",
         "Content-Encoding: gzip"), visit.for_ever(b"\x1f\x8b\x08")), "refused", "no such page", "not_found"),
]  # fmt: skip

HEADERS = [
    Case("headers: none", lambda visit: (visit.send(b"HTTP/1.1 200 OK\r\n\r\n", visit.good), visit.connection.close()),
         "ok", photo="ok"),
    Case("headers: one without a colon", with_headers("Bad header"), "ok", photo="ok"),
    Case("headers: one without a colon echoes the key", with_headers("Bad header " + KEY), "ok", targets=API),
    Case("headers: one without a name", with_headers(": value"), "ok", photo="ok"),
    Case("headers: a space before the colon", with_headers("X-Odd : value"), "ok", photo="ok"),
    Case("headers: folded", with_headers("X-Folded: a\r\n b\r\n\tc"), "ok", photo="ok"),
    Case("headers: noise", with_headers(b"X-Noise: \x00\x01\xff\xfe"), "ok", photo="ok"),
    Case("headers: line ends without a return", lambda visit: visit.send(b"HTTP/1.1 200 OK\nContent-Length: %d\n\n"
         % len(visit.good), visit.good), "ok", photo="ok"),
    Case("headers: one of 70 KB", with_headers("X-Long: " + "x" * 70_000), "retried", f"{NO_HTTP}|{BROKE}"),
    Case("headers: a hundred and fifty", with_headers(*(f"X-{n}: x" for n in range(150))), "retried",
         f"{NO_HTTP}|{BROKE}"),
    Case("headers: without end", endless_headers, "retried", f"{NO_HTTP}|{BROKE}"),
    Case("headers: one without end", endless_header_line, "retried", f"{NO_HTTP}|{BROKE}"),
    Case("headers: byte by byte", lambda visit: (visit.send("HTTP/1.1 200 OK\r\n"), visit.drip(b"X-A: b\r\n" * 50)),
         "retried", NOT_COMPLETE, "timeout", hangs=True),
    Case("headers: cut off", lambda visit: (visit.send("HTTP/1.1 200 OK\r\nContent-Le"), visit.connection.close()),
         "retried", "cut off|broken|no text|no HTTP|came instead|not gzip|empty", "not_an_image",
         targets=("page", "delta", "photo")),
    Case("headers: cookies of two megabytes", cookies, "ok", photo="ok"),
    Case("headers: an unknown charset", with_headers("Content-Type: text/plain; charset=klingon"), "ok", photo="ok"),
    Case("headers: length twice the same", with_headers("Content-Length: 5", "Content-Length: 5", length=False),
         "retried", "cut off|broken|damaged|index", "corrupt", targets=("page", "delta")),
    Case("headers: two lengths in one", with_headers("Content-Length: 5, 6", length=False), "retried",
         "two different lengths"),
    Case("headers: two different lengths", with_headers("Content-Length: 6"), "retried", "two different lengths"),
    *(
        Case(f"headers: the length is {length!r}", with_headers(f"Content-Length: {length}", length=False), "retried",
             "announces the length")
        for length in ("-1", "five", "0x20", "+32", "", "1e3", "9" * 30, "٣٢".encode().decode("latin-1"))
    ),
    Case("headers: the length is a terabyte", with_headers("Content-Length: 1000000000000", length=False), "refused",
         "larger than", "too_large"),
    Case("headers: chunked twice", with_headers("Transfer-Encoding: chunked", "Transfer-Encoding: chunked",
         length=False), "retried", "unknown transfer encoding"),
    Case("headers: gzip as transfer encoding", with_headers("Transfer-Encoding: gzip, chunked", length=False),
         "retried", "unknown transfer encoding"),
    Case("headers: an unknown transfer encoding", with_headers("Transfer-Encoding: \x1b[31mrot13", length=False),
         "retried", "unknown transfer encoding"),
]  # fmt: skip

HEAD_CASES = [*ACCEPTING, *STATUS_LINES, *HOSTILE_WORDS, *ANNOUNCEMENTS, *STATUSES, *HEADERS]
