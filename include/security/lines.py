"""Lines of a gzip file, read by the block and within the bounds of `include.security.expansion`."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import IO

from include.security.expansion import BoundedGunzip

_BLOCK_BYTES = 256 * 1024


def gzip_lines(stream: IO[bytes], max_line_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and content of each line that is not blank, without its line end.

    Of a line longer than `max_line_bytes` only its beginning comes, one byte longer than that. Blank lines cost next to
    nothing. Raises BadGzipFile or EOFError for a damaged or cut-off file, OverflowError for one that exceeds a bound.
    """
    number = 0
    held = bytearray()
    for piece in _pieces(stream):
        *ended, rest = piece.split(b"\n")
        for end in ended:
            number += 1
            line = end
            if held:
                _hold(held, end, max_line_bytes)
                line = bytes(held)
                held.clear()
            if line and not line.isspace():
                yield number, line[: max_line_bytes + 1]
        _hold(held, rest, max_line_bytes)
    if held and not held.isspace():
        yield number + 1, bytes(held)


def _hold(held: bytearray, more: bytes, max_line_bytes: int) -> None:
    held += more[: max_line_bytes + 1 - len(held)]


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    gunzip = BoundedGunzip()
    while block := stream.read(_BLOCK_BYTES):
        try:
            yield from gunzip.feed(block)
        except ValueError as error:
            raise gzip.BadGzipFile(f"the file {error}") from None
    if not gunzip.is_whole:
        raise EOFError("the file is cut off")
