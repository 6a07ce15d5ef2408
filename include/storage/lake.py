"""The lake: a folder or an `s3://` prefix, written so that a reader sees a whole file, old or new, or none.

Every write is one atomic replacement of one object: on a local disk a temporary file in the same
folder, flushed and renamed; on S3 an upload that becomes visible when it completes. A layer's day is
one file wherever its rows must change together. A writer that is killed leaves the old file; what it
had written is invisible (on a local disk a dot file, which the next write to that path removes; on S3
an upload that was never completed, which a lifecycle rule of the bucket removes).

    lake = Lake("s3://wine/lake")
    with lake.parquet_writer(Batch("openfoodfacts", day).file(Layer.PRODUCTS), PRODUCTS) as writer:
        writer.write_table(table)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from include.storage.local_files import flush, replacement

COMPRESSION = "zstd"
ROW_GROUP_ROWS = 50_000
"""Rows per row group where nothing else decides it: about 5 to 20 MB, which readers skip or stream well."""

S3_BLOCK_BYTES = 8 * 1024**2
"""Part of an upload and of a read: small enough that a few columns of a file do not bring all of it."""


_DELETE_TRIES = 10
"""How often the removal of a folder begins again because files of it went meanwhile."""


class Lake:
    """Files of the platform under one root; all paths are relative to it, with forward slashes."""

    def __init__(self, root: str, **storage_options: Any) -> None:
        """Open a lake without touching it.

        `root` is a folder (`/srv/cuvee/lake`) or any fsspec URL (`s3://bucket/prefix`). Credentials of S3
        come from the usual AWS environment, profile or role; `storage_options` go to fsspec unchanged.
        """
        # Other processes write to the same lake: a listing that was cached would hide what they wrote.
        options: dict[str, Any] = {"use_listings_cache": False}
        if root.startswith("s3://"):
            options["default_block_size"] = S3_BLOCK_BYTES
        options |= storage_options
        self.filesystem, self._root = fsspec.core.url_to_fs(root.rstrip("/") or "/", **options)
        self.root = self._root if self.is_local else root.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether the lake is a folder of this machine."""
        return isinstance(self.filesystem, LocalFileSystem)

    def full_path(self, path: str) -> str:
        """The path as the filesystem knows it, for pyarrow datasets: `bucket/prefix/products/…`."""
        return f"{self._root}/{path}" if path else self._root

    def url(self, path: str) -> str:
        """The address to show to a person or to give to DuckDB: `s3://bucket/prefix/products/…`."""
        return f"{self.root}/{path}"

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there now."""
        return bool(self.filesystem.exists(self.full_path(path)))

    def list_files(self, folder: str, suffix: str = "") -> list[str]:
        """Paths of all files below a folder, sorted; empty if the folder is absent.

        Temporary files of writers that were killed are never listed.
        """
        full = self.full_path(folder)
        if not self.filesystem.exists(full):
            return []
        prefix = len(self._root) + 1
        found = (path[prefix:] for path in self.filesystem.find(full))
        return sorted(p for p in found if p.endswith(suffix) and not p.rsplit("/", 1)[-1].startswith((".", "_")))

    def list_folders(self, folder: str) -> list[str]:
        """Names of the folders directly in a folder, sorted; empty if it is absent. What they hold is not listed."""
        try:
            if self.is_local:  # thousands of folders: the filesystem would ask for the size and owner of each
                with os.scandir(self.full_path(folder)) as found:
                    return sorted(entry.name for entry in found if entry.is_dir())
            entries = self.filesystem.ls(self.full_path(folder), detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in entries if entry["type"] == "directory")

    def file_sizes(self, folder: str) -> dict[str, int]:
        """Size in bytes of all files below a folder, by path, in one listing; empty if the folder is absent."""
        full = self.full_path(folder)
        prefix = len(self._root) + 1
        found = self.filesystem.find(full, detail=True) if self.filesystem.exists(full) else {}
        return {path[prefix:]: int(about["size"]) for path, about in found.items()}

    def delete(self, path: str) -> None:
        """Remove a file or a folder with all it holds; no error if it is absent, or another process removes it, too."""
        for _ in range(_DELETE_TRIES):
            if not self.exists(path):
                return
            with suppress(FileNotFoundError):
                self.filesystem.rm(self.full_path(path), recursive=True)
                return

    @contextmanager
    def open_read(self, path: str, block_bytes: int | None = None) -> Iterator[IO[bytes]]:
        """A file opened for reading bytes, with seek.

        On S3 a read brings at least `block_bytes` (`S3_BLOCK_BYTES` by default): say less to read here and there.

        On a local disk it stays the file that was opened. On S3, where every read is a request of its own, a
        read after the file was replaced raises an OSError: versions are never mixed.
        """
        options = {} if self.is_local or block_bytes is None else {"block_size": block_bytes}
        with self.filesystem.open(self.full_path(path), "rb", **options) as stream:
            yield stream

    @contextmanager
    def open_write(self, path: str) -> Iterator[IO[bytes]]:
        """A stream whose content replaces `path` when the block ends, and leaves it untouched when it raises."""
        if self.is_local:
            with replacement(Path(self.full_path(path))) as stream:
                yield stream
            return
        stream = self.filesystem.open(self.full_path(path), "wb")
        try:
            yield stream
        except BaseException:
            stream.discard()
            stream.closed = True  # closing would upload what was written so far
            raise
        stream.close()

    def replace(self, path: str, target: str) -> None:
        """Move a file to `target`, replacing what is there; a reader of `target` sees the old or the new file.

        Raises FileNotFoundError, and changes nothing, if `path` is absent.
        """
        if self.is_local:
            destination = Path(self.full_path(target))
            destination.parent.mkdir(parents=True, exist_ok=True)
            Path(self.full_path(path)).replace(destination)
            flush(destination.parent)
            return
        self.filesystem.copy(self.full_path(path), self.full_path(target))
        self.filesystem.rm(self.full_path(path))

    def read_bytes(self, path: str) -> bytes:
        """The whole content of a (small) file, in one request."""
        return bytes(self.filesystem.cat_file(self.full_path(path)))

    def read_files(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The contents of (small) files by path, asked for at once; those that are absent are left out."""
        if not paths:
            return {}
        # A list of one path that is absent is an error all the same.
        with suppress(FileNotFoundError):
            found = self.filesystem.cat([self.full_path(path) for path in paths], on_error="omit")
            contents = {str(full).removeprefix("/"): content for full, content in found.items()}
            by_path = ((path, contents.get(self.full_path(path).removeprefix("/"))) for path in paths)
            return {path: bytes(content) for path, content in by_path if content is not None}
        return {}

    def write_bytes(self, path: str, content: bytes) -> None:
        """Replace a file by `content`."""
        with self.open_write(path) as stream:
            stream.write(content)

    @contextmanager
    def parquet_writer(self, path: str, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
        """A Parquet writer for one file, in place when the block ends: Zstandard, dictionary encoding.

        Call `writer.write_table(table, row_group_size=…)` or `writer.write_batch(batch)` any number of times.
        """
        with self.open_write(path) as stream:
            writer = pq.ParquetWriter(stream, schema, compression=COMPRESSION, use_dictionary=True)
            try:
                yield writer
            finally:
                writer.close()

    def write_parquet(self, path: str, table: pa.Table, row_group_rows: int = ROW_GROUP_ROWS) -> None:
        """Replace one Parquet file by a table."""
        with self.parquet_writer(path, table.schema) as writer:
            writer.write_table(table, row_group_size=row_group_rows)

    def read_parquet(self, path: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One Parquet file as a table (partition columns are not added)."""
        with self.parquet_file(path) as file:
            return file.read(columns=None if columns is None else list(columns))

    @contextmanager
    def parquet_file(self, path: str, block_bytes: int | None = None) -> Iterator[pq.ParquetFile]:
        """A Parquet file opened for reading by row group, e.g. `file.read_row_group(3, columns=[…])`.

        `block_bytes` as in `open_read`.
        """
        with self.open_read(path, block_bytes) as stream:
            yield pq.ParquetFile(stream)
