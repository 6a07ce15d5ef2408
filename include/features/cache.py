"""Embeddings by content hash and encoder, in the lake: what was computed once is never computed again.

    embeddings/encoder=<identity>/part-<hash of its sorted keys>.parquet

A file is written whole and never changed, and its name follows from its keys: writing the same embeddings
again leaves the file as it is, and writers at the same time cannot disturb each other (two that computed the
same embedding leave two rows, of which readers take the one in the first file by name).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.errors import CuveeError
from include.features.hash_index import HashIndex
from include.schema import embeddings_schema, text_hash
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

ROW_GROUP_ROWS = 1_000
"""Rows per row group: 1 to 4 MB with 256 to 1024 dimensions, read whole when one of its rows is wanted."""

Hashes: TypeAlias = Sequence[str | None] | pa.StringArray | pa.ChunkedArray
"""Content hashes; null for no content. Arrow arrays are not converted to Python objects."""

_DIMENSIONS = b"dimensions"
_READERS = 8
"""Files whose hashes are read at the same time; on S3 each costs a round trip or two."""


class EmbeddingCache:
    """The embeddings of one encoder. Made without touching the lake; one object per thread."""

    def __init__(
        self, lake: Lake, identity: str, dimensions: int | None = None, *, root: str = Layer.EMBEDDINGS
    ) -> None:
        """`identity` names the encoder; `dimensions` is the width that `get` returns while nothing is cached.

        `root` is the lake's folder that holds the cache, if it is not the usual one.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", identity):
            raise ValueError(f"an encoder identity is letters, digits, '.', '_' and '-', not {identity!r}")
        self._lake = lake
        self._folder = f"{root}/encoder={identity}"
        self._dimensions = dimensions
        # A file never changes, so its hashes are read once. The index has them file after file.
        self._files: list[str] = []
        self._starts = np.zeros(1, dtype=np.int64)
        self._widths: set[int] = set()
        self._index = HashIndex(pa.array([], pa.large_string()))
        self._last_found: tuple[pa.Array, np.ndarray] | None = None
        """Hashes that were all found, and where."""

    def missing(self, hashes: Hashes) -> list[str]:
        """The hashes without an embedding, each once, in the order given.

        Content that was put as NaN, because it cannot be encoded, is not missing.
        """
        wanted = _array(hashes).unique().drop_null()
        absent: list[str] = wanted.filter(pa.array(self._places(wanted) < 0)).to_pylist()
        return absent

    def put(self, hashes: Sequence[str], vectors: np.ndarray) -> None:
        """Keep one vector per hash: float32 (hashes, dimensions).

        A row that is not finite is kept as NaN: known, and known to be unusable. A hash given twice keeps
        its first vector. Nothing is written when these hashes were put together before.
        """
        if vectors.ndim != 2 or len(vectors) != len(hashes):
            raise ValueError(
                f"{len(hashes)} hashes need as many rows of vectors, not an array of shape {vectors.shape}"
            )
        first_row = {content_hash: row for row, content_hash in reversed(list(enumerate(hashes)))}
        if not first_row:
            return
        keys = sorted(first_row)
        path = f"{self._folder}/part-{text_hash(' '.join(keys))[:32]}.parquet"
        if self._lake.exists(path):
            return
        rows = vectors[[first_row[key] for key in keys]].astype(np.float32)
        rows[~np.isfinite(rows).all(axis=1)] = np.nan
        self._write(path, keys, rows)
        logger.debug("cached embeddings: path=%s rows=%d", path, len(keys))

    def get(self, hashes: Hashes) -> tuple[np.ndarray, np.ndarray]:
        """Vectors float32 (hashes, dimensions), and a mask bool (hashes,) of those that are usable.

        A row is NaN, and its mask False, for None, for a hash without an embedding and for content that
        cannot be encoded. The width is 0 while nothing is cached and `dimensions` was not given.
        """
        given = _array(hashes)
        wanted = given.unique().drop_null()
        number = pc.index_in(given, value_set=wanted).fill_null(-1).to_numpy()
        # Each hash is read into its first row, and copied to the others.
        has_hash = np.flatnonzero(number >= 0)
        first = has_hash[np.unique(number[has_hash], return_index=True)[1]]
        vectors = self._read(wanted, first, len(given))
        others = np.delete(has_hash, np.searchsorted(has_hash, first))
        vectors[others] = vectors[first[number[others]]]
        return vectors, self._usable(vectors)

    @staticmethod
    def _usable(vectors: np.ndarray) -> np.ndarray:
        return ~np.isnan(vectors[:, 0]) if vectors.shape[1] else np.zeros(len(vectors), dtype=bool)

    def _write(self, path: str, keys: Sequence[str], rows: np.ndarray) -> None:
        schema = embeddings_schema(rows.shape[1])
        values = np.ascontiguousarray(rows, dtype="<f4")
        vectors = pa.Array.from_buffers(schema.field("vector").type, len(rows), [None, pa.py_buffer(values)])
        table = pa.table([pa.array(keys, pa.string()), vectors], schema=schema)
        with self._lake.open_write(path) as stream:
            # No value comes twice. Compression would save a sixth, and take most of the time of reading.
            pq.write_table(
                table.replace_schema_metadata({_DIMENSIONS: str(rows.shape[1])}),
                stream,
                row_group_size=ROW_GROUP_ROWS,
                compression="none",
                use_dictionary=False,
                write_statistics=False,
            )

    def _places(self, wanted: pa.Array) -> np.ndarray:
        """Row of each wanted hash in all files one after the other, int64 (wanted,); -1 for those without one.

        Files that others wrote meanwhile are looked for only when a hash is not found in those known.
        """
        # Most callers look up what is missing first, and get the vectors of the same hashes afterwards.
        if self._last_found and self._last_found[0].equals(wanted):
            return self._last_found[1]
        places = self._index.find(wanted)
        if (places < 0).any() and self._take_in_new_files():
            places = self._index.find(wanted)
        if (places >= 0).all():
            self._last_found = wanted, places
        return places

    def _take_in_new_files(self) -> bool:
        """Read the hashes of files that are new in the folder; False if there are none."""
        paths = self._lake.list_files(self._folder, ".parquet")
        unread = [path for path in paths if path not in self._files]
        if not unread:
            return False
        with ThreadPoolExecutor(_READERS) as readers:
            tables = list(readers.map(lambda path: self._lake.read_parquet(path, ["content_hash"]), unread))
        self._widths |= {int(table.schema.metadata[_DIMENSIONS]) for table in tables}
        starts, ends = self._starts[:-1].tolist(), self._starts[1:].tolist()
        hashes = {
            path: self._index.hashes[start:end] for path, start, end in zip(self._files, starts, ends, strict=True)
        }
        for path, table in zip(unread, tables, strict=True):
            hashes[path] = pa.concat_arrays(table["content_hash"].cast(pa.large_string()).chunks)
        # In the order of their names: of two files with the same hash the first counts.
        self._files = sorted(hashes)
        self._starts = np.cumsum([0, *(len(hashes[path]) for path in self._files)])
        self._index = HashIndex(pa.concat_arrays([hashes[path] for path in self._files]))
        self._last_found = None
        return True

    def _read(self, wanted: pa.Array, targets: np.ndarray, count: int) -> np.ndarray:
        """The vectors of distinct hashes in the rows `targets`, all else NaN: float32 (count, dimensions)."""
        places = self._places(wanted)
        vectors = np.empty((count, self._width()), dtype=np.float32)
        is_known = places >= 0
        places, targets = places[is_known], targets[is_known]
        is_read = np.zeros(count, dtype=bool)
        is_read[targets] = True
        vectors[~is_read] = np.nan
        files = np.searchsorted(self._starts, places, side="right") - 1
        for number in np.unique(files).tolist():
            inside = files == number
            self._read_rows(self._files[number], places[inside] - self._starts[number], vectors, targets[inside])
        return vectors

    def _width(self) -> int:
        """Dimensions of the encoder, as given or as found in the files; 0 if there are none."""
        widths = self._widths if self._dimensions is None else self._widths | {self._dimensions}
        if len(widths) > 1:
            raise CuveeError(
                f"{self._lake.url(self._folder)} holds vectors of {sorted(widths)} dimensions, but an encoder has one "
                "number of them: delete the folder, the embeddings will be computed again."
            )
        return next(iter(widths), 0)

    def _read_rows(self, path: str, rows: np.ndarray, vectors: np.ndarray, targets: np.ndarray) -> None:
        """Copy rows of one file to the rows `targets` of `vectors`; row groups without any are not read."""
        end = 0
        with self._lake.parquet_file(path) as file:
            for group in range(file.num_row_groups):
                start, end = end, end + file.metadata.row_group(group).num_rows
                inside = (rows >= start) & (rows < end)
                if inside.any():
                    column = file.read_row_group(group, columns=["vector"])["vector"].combine_chunks()
                    vectors[targets[inside]] = _matrix(column)[rows[inside] - start]


def _array(hashes: Hashes) -> pa.StringArray:
    if isinstance(hashes, pa.ChunkedArray):
        return hashes.combine_chunks()
    return hashes if isinstance(hashes, pa.Array) else pa.array(hashes, pa.string())


def _matrix(column: pa.FixedSizeBinaryArray | pa.ListArray) -> np.ndarray:
    """The vectors of a file, float32 (rows, dimensions)."""
    if pa.types.is_list(column.type):  # as files were written before vectors were bytes
        return np.asarray(column.flatten().to_numpy().reshape(len(column), -1))
    values = np.frombuffer(column.buffers()[1], "<f4").reshape(-1, column.type.byte_width // 4)
    return values[column.offset : column.offset + len(column)]
