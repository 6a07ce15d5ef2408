"""How much may come out of compressed bytes: bounds for everything that is decompressed.

Real product records compress to about a tenth, and no file of a food API has more lines than the world has products.
Three kilobytes of gzip can hold a million lines, so that the size alone is no limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

MAX_UNPACKED_BYTES = 8 * 1024**3
"""Bytes that one landed file may decompress to; a day of Open Food Facts has a few hundred million."""
MAX_LINES = 5_000_000
"""Lines of one landed file; all of Open Food Facts has about four million products."""
MAX_RATIO = 200
"""Times that a file may grow; from `FREE_BYTES` on."""
FREE_BYTES = 1024**2
"""Small content may grow by any ratio, up to this."""
MAX_MEMBERS = 100_000
"""Parts, each compressed for itself, of one file."""

_STEP_BYTES = 1024 * 1024
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class BoundedGunzip:
    """Decompresses a gzip stream as it passes by, within bounds; feed it all chunks, then ask `is_whole`.

    Several members one after another are one file, as the format defines. At most a megabyte is held at a time.
    """

    def __init__(self, *, max_bytes: int = MAX_UNPACKED_BYTES, max_lines: int = MAX_LINES) -> None:
        self._max_bytes = max_bytes
        self._max_lines = max_lines
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._members = 1
        self._consumed = 0
        """Compressed bytes that what came out so far was made of: not those that wait, which depend on the chunks."""
        self.unpacked_bytes = 0
        self.lines = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the next chunk decompresses to, in pieces; take all of them.

        Raises ValueError as soon as the content cannot be gzip, OverflowError once it exceeds a bound; both messages
        say what the file does.
        """
        while chunk:
            if self._member.eof:
                self._members += 1
                self._member = zlib.decompressobj(_GZIP_WINDOW)
            try:
                piece = self._member.decompress(chunk, _STEP_BYTES)
            except zlib.error:
                raise ValueError("is not gzip, or damaged") from None
            rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._consumed += len(chunk) - len(rest)
            self._check(piece)
            if piece:
                yield piece
            chunk = rest

    @property
    def is_whole(self) -> bool:
        """Whether the last member was read to its end, checksum included."""
        return self._member.eof

    def _check(self, piece: bytes) -> None:
        self.unpacked_bytes += len(piece)
        self.lines += piece.count(b"\n")
        if self.unpacked_bytes > self._max_bytes:
            raise OverflowError(f"decompresses to more than the {self._max_bytes} bytes accepted")
        if self.unpacked_bytes > max(FREE_BYTES, MAX_RATIO * self._consumed):
            raise OverflowError(f"decompresses to more than {MAX_RATIO} times its size")
        if self._members > MAX_MEMBERS:
            raise OverflowError(f"has more than the {MAX_MEMBERS} parts accepted")
        if self.lines > self._max_lines:
            raise OverflowError(f"has more than the {self._max_lines} lines accepted")
