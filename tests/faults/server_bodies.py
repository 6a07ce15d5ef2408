"""What can be wrong in the body of an answer: chunks, compression, size, pace, and content."""

from __future__ import annotations

import gzip
import zlib
from functools import cache

from tests.faults.server import Behaviour, Visit
from tests.faults.server_case import Case, Target
from tests.faults.server_heads import NOT_COMPLETE

CUT = "shorter than announced|connection broke|cut off|broken|not gzip"


def chunked(*parts: bytes) -> Behaviour:
    """A chunked body as given; `GOOD` stands for the good content, as one chunk."""

    def behaviour(visit: Visit) -> None:
        visit.head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
        for part in parts:
            visit.send(chunk(visit.good) if part == GOOD else part)

    return behaviour


GOOD = b"<the good content>"
END = b"0\r\n\r\n"


def chunk(content: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(content), extension, content)


def in_chunks_of(size: int) -> Behaviour:
    def behaviour(visit: Visit) -> None:
        good = visit.good
        visit.head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
        visit.send(*(chunk(good[at : at + size]) for at in range(0, len(good), size)), END)

    return behaviour


def chunks_for_ever(content: bytes) -> Behaviour:
    def behaviour(visit: Visit) -> None:
        visit.head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
        visit.for_ever(chunk(content))

    return behaviour


def dripping(prefix: bytes, *headers: str, content: bytes = b"", size: int = 0) -> Behaviour:
    """Content byte by byte, the good one if none is given, with `size` in chunks of so many bytes."""

    def behaviour(visit: Visit) -> None:
        visit.head("HTTP/1.1 200 OK", *headers)
        visit.send(prefix)
        good = visit.good
        pieces = b"".join(chunk(good[at : at + size]) for at in range(0, len(good), size)) if size else good
        visit.drip(content or pieces)

    return behaviour


def body(content: bytes, *headers: str) -> Behaviour:
    return lambda visit: visit.answer(content, "200 OK", *headers)


def encoded(*headers: str, by: object = None) -> Behaviour:
    """The good content, compressed in a way that the headers announce."""

    def behaviour(visit: Visit) -> None:
        content = by(visit.good) if callable(by) else visit.good
        visit.answer(content, "200 OK", *headers)

    return behaviour


def part_of_good(share: float, *, announced: bool, ending: str) -> Behaviour:
    """The first part of the good content, then an ending: `closed`, `reset` or `silent`."""

    def behaviour(visit: Visit) -> None:
        good = visit.good
        visit.head("HTTP/1.1 200 OK", *([f"Content-Length: {len(good)}"] if announced else []))
        visit.send(good[: int(len(good) * share)])
        {"closed": visit.connection.close, "reset": visit.reset, "silent": visit.wait}[ending]()

    return behaviour


@cache
def bomb(megabytes: int) -> bytes:
    """Zeros, compressed a thousand times smaller."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


@cache
def blank_lines(millions: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b"\n" * 10**6) for _ in range(millions)) + packer.flush()


def endless_gzip_name(visit: Visit) -> None:
    """A gzip header whose file name never ends: it takes bytes and gives none."""
    visit.head("HTTP/1.1 200 OK", "Content-Encoding: gzip")
    visit.send(b"\x1f\x8b\x08\x08" + bytes(6))
    visit.for_ever(b"n" * 65_536)


CHUNKS = [
    Case("chunks: one byte each", in_chunks_of(1), "ok", photo="ok"),
    Case("chunks: with an extension", chunked(GOOD, b"0;c=d\r\n\r\n"), "ok", photo="ok"),
    Case("chunks: with trailers", chunked(GOOD, b"0\r\nX-Sum: 1\r\n\r\n"), "ok", photo="ok"),
    Case("chunks: a negative size", chunked(b"-5\r\nhello\r\n", END), "retried", CUT),
    Case("chunks: a size that is no number", chunked(b"zz\r\nhello\r\n", END), "retried", CUT),
    Case("chunks: no size", chunked(b"\r\nhello\r\n", END), "retried", CUT),
    Case("chunks: a size of 70 KB", chunked(b"1" * 70_000 + b"\r\n"), "retried", f"{CUT}|no HTTP|larger"),
    Case("chunks: a size beyond all numbers", chunked(b"F" * 40 + b"\r\nhello"), "retried", f"{CUT}|no HTTP"),
    Case("chunks: an extension of 70 KB", chunked(b"5;" + b"e" * 70_000 + b"\r\nhello\r\n", END), "retried",
         f"{CUT}|no HTTP"),
    Case("chunks: smaller than their size", chunked(b"400\r\nhello\r\n"), "retried", CUT),
    Case("chunks: without the last one", chunked(GOOD), "retried", CUT),
    Case("chunks: a body that is not chunked", lambda visit: (visit.head("HTTP/1.1 200 OK",
         "Transfer-Encoding: chunked"), visit.send(visit.good), visit.connection.close()), "retried",
         f"{CUT}|no HTTP"),
    Case("chunks: without end", chunks_for_ever(b"[1, " * 20_000), "refused", "larger than|not gzip", "too_large",
         targets=("index", "page", "photo")),
    Case("chunks: trailers without end", lambda visit: (visit.head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"),
         visit.send(chunk(visit.good), b"0\r\n"), visit.for_ever(b"A: b\r\n", 0.001)), "retried", NOT_COMPLETE,
         "timeout", hangs=True),
    Case("chunks: the size byte by byte", dripping(b"", "Transfer-Encoding: chunked", content=b"0" * 300), "retried",
         NOT_COMPLETE, "timeout", hangs=True),
    Case("chunks: the content byte by byte", dripping(b"400\r\n", "Transfer-Encoding: chunked"), "retried",
         NOT_COMPLETE, "timeout", hangs=True),
    Case("chunks: tiny ones, now and then", dripping(b"", "Transfer-Encoding: chunked", size=3),
         "retried", NOT_COMPLETE, "timeout", hangs=True),
]  # fmt: skip

TEXTS: tuple[Target, ...] = ("index", "page")
GZIP = "Content-Encoding: gzip"

ENCODINGS = [
    Case("encoding: gzip", encoded(GZIP, by=gzip.compress), "ok", targets=TEXTS),
    Case("encoding: x-gzip", encoded("Content-Encoding: X-GZip", by=gzip.compress), "ok", targets=TEXTS),
    Case("encoding: identity", encoded("Content-Encoding: identity"), "ok", photo="ok"),
    Case("encoding: gzip in two members", encoded(GZIP, by=lambda good: gzip.compress(good[:9]) +
         gzip.compress(good[9:])), "ok", targets=TEXTS),
    *(
        Case(f"encoding: {name[:30]}", encoded(f"Content-Encoding: {name}"), "retried", "nobody asked for",
             targets=("index", "delta", "page"))
        for name in ("br", "zstd", "deflate", "compress", "gzip, gzip", "gzip, br", "klingon", ", ".join(["gzip"] * 50))
    ),
    Case("encoding: said to be gzip", encoded(GZIP), "retried", "damaged", targets=TEXTS),
    Case("encoding: gzip cut off", encoded(GZIP, by=lambda good: gzip.compress(good)[:-6]), "retried", "cut off",
         targets=TEXTS),
    Case("encoding: gzip with a wrong sum", encoded(GZIP, by=lambda good: gzip.compress(good)[:-8] + bytes(8)),
         "retried", "damaged", targets=TEXTS),
    Case("encoding: noise behind gzip", encoded(GZIP, by=lambda good: gzip.compress(good) + b"noise" * 9), "retried",
         "damaged", targets=TEXTS),
    Case("encoding: gzip in gzip", encoded(GZIP, by=lambda good: gzip.compress(gzip.compress(good))), "retried",
         "broken", targets=("page",)),
    Case("encoding: a bomb of 100 MB", body(bomb(100), GZIP), "refused", "larger than", "not_an_image",
         targets=("index", "page", "photo")),
    Case("encoding: a gzip header without end", endless_gzip_name, "refused", "larger than", "too_large",
         targets=("index", "page", "photo")),
]  # fmt: skip

DELTA_FILES = [
    Case("delta file: cut off", lambda visit: visit.answer(visit.good[:-9]), "retried", "cut off", targets=("delta",)),
    Case("delta file: plain text", body(b'{"code": "1"}\n' * 9), "retried", "not gzip", targets=("delta",)),
    Case("delta file: noise behind it", encoded(by=lambda good: good + b"noise" * 9), "retried", "not gzip",
         targets=("delta",)),
    Case("delta file: compressed twice", encoded(by=gzip.compress), "retried", "compressed twice", targets=("delta",)),
    Case("delta file: a bomb of 200 MB", body(bomb(200)), "refused", "decompresses to more than", targets=("delta",)),
    Case("delta file: a million blank lines in a kilobyte", body(blank_lines(1)), "ok", targets=("delta",)),
    Case("delta file: 100 million blank lines", body(blank_lines(100)), "refused", "decompresses to more than",
         targets=("delta",)),
    Case("delta file: a million empty records in 3 KB", body(gzip.compress(b"{}\n" * 10**6)), "refused",
         "decompresses to more than", targets=("delta",)),
    Case("delta file: members without content", lambda visit: visit.answer(gzip.compress(b"") * 120_000), "refused",
         "parts", targets=("delta",)),
    Case("delta file: without end", lambda visit: (visit.head("HTTP/1.1 200 OK"), visit.send(visit.good),
         visit.for_ever(gzip.compress(bytes(range(256)) * 99))), "refused", "larger than", targets=("delta",)),
]  # fmt: skip

BODIES = [
    *(
        Case(f"body: {share:.0%} of what is announced, then {ending}",
             part_of_good(share, announced=True, ending=ending), "retried", CUT)
        for share in (0, 0.5) for ending in ("closed", "reset")
    ),
    Case("body: half of what is announced, then silence", part_of_good(0.5, announced=True, ending="silent"),
         "retried", NOT_COMPLETE, "timeout", hangs=True),
    Case("body: half, then silence, nothing announced", part_of_good(0.5, announced=False, ending="silent"),
         "retried", NOT_COMPLETE, "timeout", hangs=True),
    Case("body: half, then closed, nothing announced", part_of_good(0.5, announced=False, ending="closed"),
         "retried", "cut off|broken|not gzip", targets=("page", "delta")),
    Case("body: byte by byte", dripping(b""), "retried", NOT_COMPLETE, "timeout", hangs=True),
    Case("body: byte by byte, length announced", dripping(b"", "Content-Length: 500"), "retried", NOT_COMPLETE,
         "timeout", hangs=True),
    Case("body: without end", lambda visit: (visit.head("HTTP/1.1 200 OK"), visit.for_ever(b"[1, " * 16_000)),
         "refused", "larger than", "too_large", targets=("index", "page", "photo")),
    Case("body: longer than announced", lambda visit: (visit.answer(visit.good), visit.send(b"more" * 99)), "ok",
         photo="ok"),
    Case("body: an answer behind the answer", lambda visit: (visit.answer(visit.good), visit.answer(b"{}")), "ok",
         photo="ok"),
    Case("body: empty", body(b""), "retried", "broken|cut off", "not_an_image", targets=("page", "delta", "photo")),
    Case("body: an HTML page", body(b"<!DOCTYPE html><html>Service unavailable</html>"), "retried", "HTML|not gzip",
         "not_an_image"),
]  # fmt: skip

PAGES = [
    Case(f"page: {name}", body(content), "retried", "broken", targets=("page",))
    for name, content in {
        "cut off": b'{"hints": [{"food": {"foodId": "a',
        "not a number": b'{"hints": NaN}',
        "infinite": b'{"hints": -Infinity}',
        "nested without end": b"[" * 200_000,
        "no UTF-8": b'{"hints": "\xff\xfe"}',
        "UTF-16": '{"hints": []}'.encode("utf-16"),
        "two documents": b"{}{}",
        "zeros": bytes(1_000),
    }.items()
] + [
    # Read as infinite: what needs a number refuses it.
    Case("page: a number of 5,000 digits", body(b'{"hints": ' + b"9" * 5_000 + b"}"), "ok", targets=("page",)),
    Case("page: 9 MB of lists", body(b"[" + b"[]," * 3_000_000 + b"[]]"), "refused", "larger than", targets=("page",)),
    Case("index: 9 MB of lines", body(b"openfoodfacts_products_1_2.json.gz\n" * 260_000), "refused", "larger than",
         targets=("index",)),
]  # fmt: skip

BODY_CASES = [*CHUNKS, *ENCODINGS, *DELTA_FILES, *BODIES, *PAGES]
