"""A text file opened in the encoding that its whole content agrees with, plain or gzip."""

from __future__ import annotations

import codecs
import gzip
import io
import itertools
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from include.errors import CatalogueRefused

ACCEPTED = (
    "Accepted are CSV (comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252), JSON lines and Parquet; "
    "text may be compressed with gzip."
)
MAX_LINE_CHARACTERS = 16 * 1024**2
_SAMPLE_BYTES = 64 * 1024
_READ_BYTES = 256 * 1024
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ENCODING_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


@dataclass(frozen=True)
class TextFile:
    """A file, its encoding, and how its lines end."""

    path: Path
    encoding: str
    line_end: str
    """`\\n` (also where lines end in CR LF), or `\\r` for files of old Macintosh programs."""

    @classmethod
    def open(cls, path: Path) -> TextFile:
        """Find the encoding by decoding the file to its end; CatalogueRefused if there is none, or no text.

        UTF-8 and UTF-16 by their byte order marks, UTF-16 without one by its zero bytes, else UTF-8 if all
        of it decodes, else Windows-1252 if all of it does.
        """
        with _bytes_of(path) as stream:
            sample = stream.read(_SAMPLE_BYTES)
        encoding = _encoding_of_sample(sample)
        if encoding is None and b"\0" in sample:
            raise CatalogueRefused(f"{path.name}: this is not a text file. {ACCEPTED}")
        if encoding is None:
            encoding = _encoding_of_content(path)
        elif failure := _first_undecodable(path, encoding):
            line, found = failure
            name = _ENCODING_NAMES.get(encoding, "UTF-16")
            raise CatalogueRefused(f"{path.name}: line {line}: {found}; expected {name}, as the file's start says")
        head = sample.decode(encoding, "ignore")
        file = cls(path, encoding, "\r" if "\r" in head and "\n" not in head else "\n")
        if not file.first_line():
            raise CatalogueRefused(f"{path.name}: line 1: the file is empty; expected a header and rows. {ACCEPTED}")
        return file

    def first_line(self) -> str:
        """The first line that is not blank; empty if there is none."""
        return next((line for _, line in self.lines() if line.strip()), "")

    def lines(self) -> Iterator[tuple[int, str]]:
        """Line numbers from 1, and lines with their ends, as a text editor counts them.

        CatalogueRefused for a line of more than 16 million characters.
        """
        with _bytes_of(self.path) as stream:
            text = io.TextIOWrapper(stream, encoding=self.encoding, newline=self.line_end)
            for number in itertools.count(1):
                try:
                    line = text.readline(MAX_LINE_CHARACTERS)
                except UnicodeDecodeError as error:
                    message = f"{self.path.name}: line {number}: the file changed while it was read"
                    raise CatalogueRefused(message) from error
                if not line:
                    return
                if len(line) == MAX_LINE_CHARACTERS:
                    raise CatalogueRefused(
                        f"{self.path.name}: line {number}: longer than {MAX_LINE_CHARACTERS:,} characters; "
                        f"expected one record per line. {ACCEPTED}"
                    )
                yield number, line


@contextmanager
def _bytes_of(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as plain:
            is_compressed = plain.read(2) == _GZIP
            plain.seek(0)
            if not is_compressed:
                yield plain
                return
            with gzip.GzipFile(fileobj=plain) as stream:
                yield cast(IO[bytes], stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CatalogueRefused(
            f"{path.name}: the gzip file is cut short or damaged ({error}); expected a whole one: fetch it again"
        ) from error


def _encoding_of_sample(sample: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if sample.startswith(mark):
            return encoding
    # ASCII characters in UTF-16 have a zero byte each, on the side that gives the byte order away.
    pairs = len(sample) // 2 or 1
    zeros_first, zeros_second = sample[0::2].count(0) / pairs, sample[1::2].count(0) / pairs
    if zeros_second > 0.5 and zeros_first < 0.1:
        return "utf-16-le"
    if zeros_first > 0.5 and zeros_second < 0.1:
        return "utf-16-be"
    return None


def _encoding_of_content(path: Path) -> str:
    broken_utf8 = _first_undecodable(path, "utf-8")
    if broken_utf8 is None:
        return "utf-8"
    broken_windows = _first_undecodable(path, "cp1252")
    if broken_windows is None:
        return "cp1252"
    raise CatalogueRefused(
        f"{path.name}: line {broken_utf8[0]}: {broken_utf8[1]}, which is not UTF-8 "
        f"(nor Windows-1252: see line {broken_windows[0]}); expected one encoding throughout: save the file as UTF-8"
    )


def _first_undecodable(path: Path, encoding: str) -> tuple[int, str] | None:
    """Line and description of the first bytes that `encoding` does not know; None if there are none."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with _bytes_of(path) as stream:
        while True:
            piece = stream.read(_READ_BYTES)
            try:
                line += decoder.decode(piece, final=not piece).count("\n")
            except UnicodeDecodeError as error:
                before = bytes(error.object[: error.start]).decode(encoding, "ignore")
                bad = " ".join(f"0x{byte:02X}" for byte in bytes(error.object[error.start : error.end][:4]))
                return line + before.count("\n"), f"byte {bad}"
            if not piece:
                return None
