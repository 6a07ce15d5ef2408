"""The files of a batch as received, and the manifest that marks them as complete.

landing = Landing(lake, Batch("edamam", day))
if not landing.has("page-00001.json.gz"):
    landing.write_json_lines("page-00001.json.gz", [page])
landing.complete({"pages": 1})

A day that is requested again lands beside what is there, and takes its place when it is whole:

again = landing.beside()
again.write_json_lines("page-00001.json.gz", [page])
again.complete({"pages": 1})
landing.replace_by(again)
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import IO, Any

from include.errors import SourceError
from include.progress import with_progress
from include.schema import Rejection
from include.security.lines import gzip_lines
from include.sources.json_text import parse_json, shown, to_json
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
MAX_LINE_BYTES = 8 * 1024 * 1024
"""A longer line is no product record; it is read past without being held. As objects, 8 MiB can fill 300."""
SHOWN_LINE_BYTES = 2_000
"""How much of an unreadable line is handed on."""

MADE_WITHIN = timedelta(days=1)
"""A landing that was begun longer ago and did not become the day's belongs to a process that was killed."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_BESIDE = re.compile(r"again-[0-9]{8}T[0-9]{12}-[0-9a-f]{8}")
"""Folder of a landing that `beside` gave: when it was begun, in UTC, so that names sort by time."""
_MOMENT = "%Y%m%dT%H%M%S%f"


class Landing:
    """Landed files of a batch, under `landing/source=S/day=D/` of a lake.

    Every file appears whole or not at all; `manifest.json` is written last. The files lie beside the manifest, or,
    once the day was requested again, in the folder `again-…` that it names: only what it names is the day.
    """

    def __init__(self, lake: Lake, batch: Batch, folder: str = "") -> None:
        """`folder` is the place in the lake; by default that of the day."""
        self.lake = lake
        self.batch = batch
        self.folder = folder or batch.folder(Layer.LANDING)
        self._new_files = self._new_bytes = 0
        self._replaced = ""

    @property
    def source(self) -> str:
        """The batch's source."""
        return self.batch.source

    @property
    def day(self) -> date:
        """The batch's day."""
        return self.batch.day

    def path(self, name: str) -> str:
        """Path of a landed file in the lake; ValueError if the name could leave the folder."""
        if not _SAFE_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a landed file")
        return f"{self.folder if name == MANIFEST else self._files_folder}/{name}"

    @cached_property
    def _files_folder(self) -> str:
        """Where the files of this landing are, according to its manifest when it is first read."""
        try:
            within = self.manifest().get("folder")
        except SourceError:
            within = None
        return f"{self.folder}/{within}" if within else self.folder

    def is_complete(self) -> bool:
        """Whether the manifest is there, with every file it lists."""
        return self.has(MANIFEST) and set(self.manifest()["files"]) <= set(self.file_names())

    def has(self, name: str) -> bool:
        """Whether a file has been landed."""
        return self.lake.exists(self.path(name))

    def file_names(self) -> list[str]:
        """Names of the landed files, sorted, without the manifest."""
        return sorted(self._sizes_in(self._files_folder))

    def total_bytes(self) -> int:
        """Size of all landed files together, in bytes."""
        return sum(self._sizes_in(self._files_folder).values())

    def _sizes_in(self, folder: str) -> dict[str, int]:
        """Size in bytes of each file of a folder itself, by name; without the manifest and what is being written."""
        sizes = {path.removeprefix(f"{folder}/"): size for path, size in self.lake.file_sizes(folder).items()}
        return {name: size for name, size in sizes.items() if name != MANIFEST and _SAFE_NAME.fullmatch(name)}

    @contextmanager
    def open_write(self, name: str) -> Iterator[IO[bytes]]:
        """A stream whose content becomes the file when the block ends without an exception."""
        with self.lake.open_write(self.path(name)) as stream:
            yield stream
            size = stream.tell()
        self._new_files += 1
        self._new_bytes += size
        logger.info(
            "landed source=%s day=%s file=%s bytes=%d; so far: files=%d bytes=%d",
            self.source, self.day, name, size, self._new_files, self._new_bytes,
        )  # fmt: skip

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
            with self.lake.open_read(self.path(name)) as stream:
                yield from with_progress(gzip_lines(stream, MAX_LINE_BYTES), f"read lines of {name}")
        except (EOFError, OverflowError, gzip.BadGzipFile) as error:
            raise SourceError(
                f"landed file {self.lake.url(self.path(name))} is damaged ({error}): fetch the day again"
            ) from error
        except FileNotFoundError:
            raise SourceError(
                f"landed file {self.lake.url(self.path(name))} is gone: the day is being fetched again, or files were "
                "removed by hand; fetch the day, then run this step again"
            ) from None

    def complete(self, details: dict[str, Any]) -> None:
        """Write the manifest: the day is landed. `details` name what was requested and must not hold secrets.

        `details["files"]` names the files that count, in order; by default all that are there. SourceError if one
        of them is not there.
        """
        content = {"source": self.source, "day": self.day.isoformat(), "files": self.file_names()} | details
        self._require_files(content["files"])
        if self._files_folder != self.folder:
            content["folder"] = _name_of(self._files_folder)
        self._write_manifest(content)

    def manifest(self) -> dict[str, Any]:
        """What `complete` wrote; SourceError if the day is not completely landed or the manifest is damaged."""
        try:
            content = json.loads(self.lake.read_bytes(self.path(MANIFEST)))
        except FileNotFoundError:
            raise SourceError(f"nothing is landed for {self.source} {self.day}: fetch the day first") from None
        except ValueError:
            content = None
        if not (
            isinstance(content, dict)
            and isinstance(content.get("files"), list)
            and ("folder" not in content or _BESIDE.fullmatch(str(content["folder"])))
        ):
            raise SourceError(
                f"{self.lake.url(self.path(MANIFEST))} is damaged: fetch the day again, with "
                f"`python -m include run-day {self.day} --source {self.source} --refetch`"
            )
        return content

    def _write_manifest(self, content: dict[str, Any]) -> None:
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
        self.lake.write_bytes(self.path(MANIFEST), text.encode())

    def _require_files(self, names: Iterable[str]) -> None:
        absent = sorted(set(names) - set(self.file_names()))
        if absent:
            raise SourceError(
                f"{self.lake.url(self.folder)} lacks {', '.join(absent[:5])}: another process removed what was just "
                "landed; fetch the day again"
            )

    def beside(self) -> Landing:
        """An empty landing of the same day in a folder of its own, which nobody reads before `replace_by`."""
        name = f"again-{datetime.now(UTC):{_MOMENT}}-{uuid.uuid4().hex[:8]}"
        return Landing(self.lake, self.batch, f"{self.folder}/{name}")

    def replace_by(self, other: Landing) -> None:
        """Make a complete landing that `beside` gave the day's.

        The manifest is what changes: whenever the process is killed, the day is the old one or the new one, whole.
        What was replaced is left to `remove_replaced`. Of two at once the last one counts.
        """
        content = other.manifest()
        other._require_files(content["files"])
        self.__dict__.pop("_files_folder", None)  # another process may have replaced the day since then
        replaced = self._files_folder
        self._write_manifest(content | {"folder": _name_of(other.folder)})
        del self._files_folder  # it is read again, from the manifest that was just written
        self._replaced = replaced

    def is_replaced_by(self, other: Landing) -> bool:
        """Whether the day's files are now those of a landing that `beside` gave."""
        try:
            return bool(self.manifest().get("folder") == _name_of(other.folder))
        except SourceError:
            return False

    def discard(self) -> None:
        """Remove a landing that `beside` gave and that did not become the day's."""
        self.lake.delete(self.folder)

    def remove_replaced(self) -> None:
        """Remove what `replace_by` replaced, and what processes left that were killed: neither can count any more.

        Landings beside this one that are younger than a day may be in the making, and stay.
        """
        current = self._files_folder
        if current != self.folder:
            for name in self._sizes_in(self.folder):
                self.lake.delete(f"{self.folder}/{name}")
        paths = (path.removeprefix(f"{self.folder}/") for path in self.lake.list_files(self.folder))
        long_ago = f"again-{datetime.now(UTC) - MADE_WITHIN:{_MOMENT}}"
        for name in sorted({path.split("/")[0] for path in paths if "/" in path}):
            folder = f"{self.folder}/{name}"
            if _BESIDE.fullmatch(name) and folder != current and (folder == self._replaced or name < long_ago):
                self.lake.delete(folder)
                logger.info("removed what no longer counts: path=%s", folder)


def _name_of(folder: str) -> str:
    return folder.rsplit("/", 1)[-1]


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
