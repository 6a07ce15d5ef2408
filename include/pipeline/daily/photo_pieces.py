"""Photos of a shard while they come in: what was fetched is never fetched again, wherever the process is killed.

    staging/images/source=S/day=D/part-NNNNN/<any name>.parquet

Photos come in any order, and the shard's file has them in the products' order and is written at the end. Until then
they are in pieces, each written whole after some hundred photos or some seconds. A rerun takes over the rows of the
shard's file and of all pieces whose product and address are the same; so a piece that an earlier validation left behind
gives no photo to another product. The pieces are removed when the file is in its place.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Set
from contextlib import suppress
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from include.schema import IMAGES
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

PIECE_BYTES = 64 * 1024**2
"""Photos that are held in memory until they are written as a piece, in bytes."""
PIECE_PHOTOS = 512
"""The same as a number: what a killed task has to fetch again at most."""
PIECE_SECONDS = 15.0
"""Time after which they are written however few they are."""
PIECE_GROUP_ROWS = 64
"""Rows of a piece that are read at once, where one of them is wanted."""
_GROUPS_IN_MEMORY = 3

TRANSIENT_STATUSES = frozenset({"timeout", "unreachable", "private_address"})
"""Reasons for a missing photo that a rerun tries again: the network, or what the connection allows, may be another."""

Key: TypeAlias = tuple[str, str | None]
"""Product id and address of a photo."""
Row: TypeAlias = dict[str, Any]
"""A row of `schema.IMAGES`."""


class PiecesMovedError(Exception):
    """Another run of the same shard replaced the file, or removed the pieces, that were to be read."""


class PhotoPieces:
    """The rows of one shard that are known so far, in memory or in the lake."""

    def __init__(self, lake: Lake, path: str, wanted: Set[Key], *, with_failures: bool = True) -> None:
        """Take over what earlier runs fetched; `path` is the shard's file, `wanted` are its products' photos.

        Without `with_failures` only photos that are there are taken over.
        """
        self._lake = lake
        self._folder = f"{Layer.STAGING}/{path.removesuffix('.parquet')}"
        self._memory: dict[Key, Row] = {}
        self._failed: dict[Key, Row] = {}
        """Rows that no later run is to take over."""
        self._bytes = 0
        self._written = time.monotonic()
        self._places: dict[Key, tuple[str, int, int]] = {}
        """File, row group and row of what is in the lake."""
        self._groups: OrderedDict[tuple[str, int], pa.Table] = OrderedDict()
        self._pieces = lake.list_files(self._folder, ".parquet")
        self._with_failures = with_failures
        # The file last: what another run removes now is in the file that it has put in place before.
        for source in (*self._pieces, path):
            with suppress(FileNotFoundError):
                self._take_over(source, wanted)

    def __contains__(self, key: Key) -> bool:
        return key in self._memory or key in self._failed or key in self._places

    def add(self, row: Row) -> None:
        """Keep a row; `write_if_due` brings it to the lake."""
        key = (row["product_id"], row["image_url"])
        if row["status"] in TRANSIENT_STATUSES:
            self._failed[key] = row
            return
        self._memory[key] = row
        self._bytes += len(row["bytes"] or b"")

    def row(self, key: Key) -> Row:
        """A row that is known. Raises PiecesMovedError if it is no longer where it was."""
        if key in self._memory or key in self._failed:
            return self._memory.get(key) or self._failed[key]
        path, group, number = self._places[key]
        try:
            row: Row = self._group(path, group).slice(number, 1).to_pylist()[0]
        except (OSError, IndexError, pa.ArrowException) as error:
            raise PiecesMovedError(path) from error
        if (row["product_id"], row["image_url"]) != key:
            raise PiecesMovedError(path)
        return row

    def write_if_due(self) -> None:
        """Write what is in memory as a piece if it is much, or if the last piece was written long ago."""
        is_much = self._bytes >= PIECE_BYTES or len(self._memory) >= PIECE_PHOTOS
        if is_much or time.monotonic() - self._written >= PIECE_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what is in memory as a piece."""
        self._written = time.monotonic()
        if not self._memory:
            return
        path = f"{self._folder}/{uuid.uuid4().hex}.parquet"
        with self._lake.open_write(path) as stream:
            table = pa.Table.from_pylist(list(self._memory.values()), schema=IMAGES)
            pq.write_table(table, stream, row_group_size=PIECE_GROUP_ROWS, compression="none", use_dictionary=False)
        for number, key in enumerate(self._memory):
            self._places[key] = (path, *divmod(number, PIECE_GROUP_ROWS))
        self._pieces.append(path)
        logger.info("kept fetched photos: path=%s photos=%d bytes=%d", path, len(self._memory), self._bytes)
        self._memory.clear()
        self._bytes = 0

    def remove(self) -> None:
        """Remove the pieces, when the shard's file has all that is in them."""
        for path in self._pieces:
            self._lake.delete(path)

    def _take_over(self, path: str, wanted: Set[Key]) -> None:
        with self._lake.parquet_file(path) as file:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, ["product_id", "image_url", "status"])
                for number, (product_id, url, status) in enumerate(zip(*rows.to_pydict().values(), strict=True)):
                    is_kept = status == "ok" or (self._with_failures and status not in TRANSIENT_STATUSES)
                    if is_kept and (product_id, url) in wanted:
                        self._places[product_id, url] = (path, group, number)

    def _group(self, path: str, group: int) -> pa.Table:
        place = (path, group)
        if place not in self._groups:
            with self._lake.parquet_file(path) as file:
                self._groups[place] = file.read_row_group(group)
            if len(self._groups) > _GROUPS_IN_MEMORY:
                self._groups.popitem(last=False)
        self._groups.move_to_end(place)
        return self._groups[place]
