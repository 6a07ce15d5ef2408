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

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.errors import CuveeError
from include.schema import EMBEDDINGS, text_hash
from include.warehouse.lake import COMPRESSION, Lake

logger = logging.getLogger(__name__)

ROW_GROUP_ROWS = 1_000
"""Rows per row group: 1 to 4 MB with 256 to 1024 dimensions, read whole when one of its rows is wanted."""

_DIMENSIONS = b"dimensions"
_READERS = 8
"""Files whose hashes are read at the same time; on S3 each costs a round trip or two."""


class EmbeddingCache:
    """The embeddings of one encoder. Made without touching the lake; one object per thread."""

    def __init__(self, lake: Lake, identity: str, dimensions: int | None = None) -> None:
        """`identity` names the encoder; `dimensions` is the width that `get` returns while nothing is cached."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", identity):
            raise ValueError(f"an encoder identity is letters, digits, '.', '_' and '-', not {identity!r}")
        self._lake = lake
        self._folder = f"embeddings/encoder={identity}"
        self._dimensions = dimensions
        # A file never changes, so its hashes are read once: 70 bytes each, 70 MB for a million products.
        self._files: dict[str, pa.Table] = {}

    def missing(self, hashes: Sequence[str | None]) -> list[str]:
        """The hashes without an embedding, each once, in the order given; None stands for no content.

        Content that was put as NaN, because it cannot be encoded, is not missing.
        """
        wanted = pa.array(dict.fromkeys(hashes), pa.string()).drop_null()
        known = self._known_hashes()
        found = known.filter(pc.is_in(known, value_set=wanted)).combine_chunks()
        absent: list[str] = wanted.filter(pc.invert(pc.is_in(wanted, value_set=found))).to_pylist()
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

    def get(self, hashes: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors float32 (hashes, dimensions), and a mask bool (hashes,) of those that are usable.

        A row is NaN, and its mask False, for None, for a hash without an embedding and for content that
        cannot be encoded. The width is 0 while nothing is cached and `dimensions` was not given.
        """
        asked = pa.array(hashes, pa.string())
        wanted = asked.unique().drop_null()
        vectors = self._read(wanted)
        place = pc.index_in(asked, value_set=wanted).fill_null(-1).to_numpy(zero_copy_only=False)
        result = np.full((len(asked), vectors.shape[1]), np.nan, dtype=np.float32)
        result[place >= 0] = vectors[place[place >= 0]]
        usable = ~np.isnan(result[:, 0]) if result.shape[1] else np.zeros(len(asked), dtype=bool)
        return result, usable

    def _write(self, path: str, keys: Sequence[str], rows: np.ndarray) -> None:
        offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
        vectors = pa.ListArray.from_arrays(offsets, rows.reshape(-1))
        table = pa.table([pa.array(keys, pa.string()), vectors], schema=EMBEDDINGS)
        with self._lake.open_write(path) as stream:
            # No value comes twice, so a dictionary would only cost; the bytes of floats compress by position.
            pq.write_table(
                table.replace_schema_metadata({_DIMENSIONS: str(rows.shape[1])}),
                stream,
                row_group_size=ROW_GROUP_ROWS,
                compression=COMPRESSION,
                use_dictionary=False,
                column_encoding={"vector.list.element": "BYTE_STREAM_SPLIT"},
                write_statistics=False,
            )

    def _known_hashes(self) -> pa.ChunkedArray:
        """The hashes of all files, in the order of `self._files`, which is brought up to date."""
        paths = self._lake.list_files(self._folder, ".parquet")
        unread = [path for path in paths if path not in self._files]
        with ThreadPoolExecutor(_READERS) as readers:
            tables = readers.map(lambda path: self._lake.read_parquet(path, ["content_hash"]), unread)
            known = self._files | dict(zip(unread, tables, strict=True))
        self._files = {path: known[path] for path in paths}
        chunks = [chunk for table in self._files.values() for chunk in table["content_hash"].chunks]
        return pa.chunked_array(chunks, pa.string())

    def _read(self, wanted: pa.Array) -> np.ndarray:
        """The vectors of distinct hashes, NaN where there is none: float32 (wanted, dimensions)."""
        place = pc.index_in(self._known_hashes(), value_set=wanted).fill_null(-1).to_numpy()
        rows = np.flatnonzero(place >= 0)
        # Files are in the order of their names: np.unique gives the first row of a hash that two files hold.
        targets, first = np.unique(place[rows], return_index=True)
        rows = rows[first]
        vectors = np.full((len(wanted), self._width()), np.nan, dtype=np.float32)
        start = 0
        for path, table in self._files.items():
            inside = (rows >= start) & (rows < start + len(table))
            if inside.any():
                self._read_rows(path, rows[inside] - start, vectors, targets[inside])
            start += len(table)
        return vectors

    def _width(self) -> int:
        """Dimensions of the encoder, as given or as found in the files; 0 if there are none."""
        widths = {int(table.schema.metadata[_DIMENSIONS]) for table in self._files.values()}
        if self._dimensions is not None:
            widths.add(self._dimensions)
        if len(widths) > 1:
            raise CuveeError(
                f"{self._lake.url(self._folder)} holds vectors of {sorted(widths)} dimensions, but an encoder has one "
                "number of them: delete the folder, the embeddings will be computed again."
            )
        return widths.pop() if widths else 0

    def _read_rows(self, path: str, rows: np.ndarray, vectors: np.ndarray, targets: np.ndarray) -> None:
        """Copy rows of one file to the rows `targets` of `vectors`; row groups without any are not read."""
        end = 0
        with self._lake.parquet_file(path) as file:
            for group in range(file.num_row_groups):
                start, end = end, end + file.metadata.row_group(group).num_rows
                inside = (rows >= start) & (rows < end)
                if inside.any():
                    lists = file.read_row_group(group, columns=["vector"])["vector"].combine_chunks()
                    matrix = lists.flatten().to_numpy().reshape(end - start, vectors.shape[1])
                    vectors[targets[inside]] = matrix[rows[inside] - start]
