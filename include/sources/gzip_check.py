"""Checks a gzip stream while it passes by, without keeping what it decompresses to."""

from __future__ import annotations

import zlib

_STEP_BYTES = 1024 * 1024
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class GzipCheck:
    """Feed it a gzip file chunk by chunk, then ask `is_whole`.

    Several members one after another are one file, as the format says. Raises ValueError as soon as the
    content cannot be gzip, and OverflowError once more than `max_bytes` come out of it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self.decompressed_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk of the compressed file."""
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP_WINDOW)
            try:
                self.decompressed_bytes += len(self._member.decompress(chunk, _STEP_BYTES))
            except zlib.error as error:
                raise ValueError("not gzip, or damaged") from error
            if self.decompressed_bytes > self._max_bytes:
                raise OverflowError(f"decompresses to more than {self._max_bytes} bytes")
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    @property
    def is_whole(self) -> bool:
        """Whether the last member was read to its end, checksum included."""
        return self._member.eof
