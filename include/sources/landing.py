"""The files of one source and day as received, and the mark that says they are all there.

landing = Landing(lake, "edamam", day)
if not landing.has("page-00001.json.gz"):
    landing.write_json_lines("page-00001.json.gz", [page])
landing.complete({"pages": 1})
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import IO, Any

from include.errors import SourceError
from include.schema import Rejection
from include.sources.json_text import parse_json, shown, to_json
from include.warehouse.lake import Lake

MANIFEST = "manifest.json"
MAX_LINE_BYTES = 8 * 1024 * 1024
"""A longer line is no product record; it is read past without being held. As objects, 8 MiB can fill 300."""
SHOWN_LINE_BYTES = 2_000
"""How much of an unreadable line is handed on."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class Landing:
    """Landed files of one source and day, under `landing/source=S/day=D/` of a lake.

    Every file appears whole or not at all; `manifest.json` is written last.
    """

    def __init__(self, lake: Lake, source: str, day: date) -> None:
        self.lake = lake
        self.source = source
        self.day = day
        self.folder = Lake.partition("landing", source, day)

    def path(self, name: str) -> str:
        """Path of a landed file in the lake; ValueError if the name could leave the folder."""
        if not _SAFE_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a landed file")
        return f"{self.folder}/{name}"

    def is_complete(self) -> bool:
        """Whether the manifest is there, with every file it lists."""
        return self.has(MANIFEST) and set(self.manifest()["files"]) <= set(self.file_names())

    def has(self, name: str) -> bool:
        """Whether a file has been landed."""
        return self.lake.exists(self.path(name))

    def file_names(self) -> list[str]:
        """Names of the landed files, sorted, without the manifest."""
        names = [path.rsplit("/", 1)[-1] for path in self.lake.list_files(self.folder)]
        return [name for name in names if name != MANIFEST]

    def open_write(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """A stream whose content becomes the file when the block ends without an exception."""
        return self.lake.open_write(self.path(name))

    def write_json_lines(self, name: str, records: Iterable[dict[str, Any]]) -> None:
        """Land records as gzip JSON lines; the same records always give the same bytes."""
        with (
            self.open_write(name) as stream,
            gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed,
        ):
            for record in records:
                packed.write(to_json(record).encode() + b"\n")

    def read_json_lines(self, name: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
        """Line number (from 1) and record of each line of a gzip JSON lines file; blank lines are passed over.

        A line that is not a JSON object comes as text, at most `SHOWN_LINE_BYTES` of it. Raises SourceError
        if the file itself is damaged.
        """
        for number, line in self.read_lines(name):
            yield number, parse_line(line)

    def read_lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        """The same as bytes; of a line of more than `MAX_LINE_BYTES` only its beginning, one byte longer than that."""
        try:
            with self.lake.open_read(self.path(name)) as stream, gzip.open(stream, "rb") as lines:
                for number, line in enumerate(bounded_lines(lines), start=1):
                    if line.strip():
                        yield number, line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SourceError(
                f"landed file {self.lake.url(self.path(name))} is damaged ({error}): fetch the day anew"
            ) from error

    def complete(self, details: dict[str, Any]) -> None:
        """Write the manifest: the day is landed. `details` say what was asked for and must not hold secrets."""
        content = {"source": self.source, "day": self.day.isoformat(), "files": self.file_names()} | details
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
        self.lake.write_bytes(self.path(MANIFEST), text.encode())

    def manifest(self) -> dict[str, Any]:
        """What `complete` wrote; SourceError if the day is not completely landed or the manifest is damaged."""
        try:
            content = json.loads(self.lake.read_bytes(self.path(MANIFEST)))
        except FileNotFoundError:
            raise SourceError(f"nothing is landed for {self.source} {self.day}: fetch the day first") from None
        except ValueError:
            content = None
        if not isinstance(content, dict) or not isinstance(content.get("files"), list):
            raise SourceError(f"{self.lake.url(self.path(MANIFEST))} is damaged: fetch the day anew")
        return content

    def clear(self) -> None:
        """Remove what was landed, the manifest first, so that a crash leaves no complete-looking rest."""
        self.lake.delete(self.path(MANIFEST))
        self.lake.delete(self.folder)


def parse_line(line: bytes) -> dict[str, Any] | str:
    """The record on a line, or the beginning of its text if it is too long, or no JSON object."""
    try:
        record = parse_json(line) if len(line) <= MAX_LINE_BYTES else None
    except ValueError:
        record = None
    return record if isinstance(record, dict) else line[:SHOWN_LINE_BYTES].decode("utf-8", "replace").strip()


def unreadable_line(line: str, source: str, position: str) -> Rejection:
    """The Rejection of a line that is no JSON object: `not_json`, or `wrong_type` for other JSON."""
    try:
        value = parse_json(line.encode())
    except ValueError:
        return Rejection(source, None, ("not_json",), "the line is not JSON", {"line": line}, position)
    detail = f"the line is JSON, but not an object: {shown(value)}"
    return Rejection(source, None, ("wrong_type",), detail, {"line": line}, position)


def bounded_lines(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """Lines of a stream; of an over-long one only its first `MAX_LINE_BYTES` + 1 bytes."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES + 1)
        yield line
