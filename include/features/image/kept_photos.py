"""One product's photo from the lake, and the small picture of it that a page shows.

    photo = kept_photo(lake, Batch("openfoodfacts", day), "openfoodfacts:3018333000014")
    picture = None if photo is None else thumbnail(photo.content, 96)

A day's photos lie in one file a shard, in the order of the day's products; a shard is a row group of these. So the
products' ids say in which file and row a photo is, and of that file one row group is read.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from include.features.image.decode import decode_within
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

SIDES = (96, 480)
"""Longest sides of small pictures in pixels: in a list, and on a product's own page."""
CONTENT_TYPE = "image/jpeg"
"""Of all small pictures, whatever the photo was."""
_QUALITY = 85
_MAX_PIXELS = 4096 * 4096
"""Photos are kept with at most 1024 pixels a side; one that has more than this was put there by somebody else."""
_BLOCK_BYTES = 1024**2
_DAYS_REMEMBERED = 4
"""Days whose product ids are kept in memory: 6 MB for one of 200,000 products."""


@dataclass(frozen=True)
class KeptPhoto:
    """A photo as the lake keeps it."""

    sha256: str
    content: bytes
    """An upright JPEG, as far as the lake was written by this program."""


def kept_photo(lake: Lake, batch: Batch, product_id: str, sha256: str | None = None) -> KeptPhoto | None:
    """The photo that a product had in a batch; None if there is none, or, with `sha256`, if it is another one."""
    found = _position(lake, batch, product_id)
    if found is None:
        return None
    row = _row(lake, batch.file(Layer.IMAGES, found[0]), found[1])
    if row is None or row["product_id"] != product_id or row["bytes"] is None or sha256 not in (None, row["sha256"]):
        return None
    return KeptPhoto(row["sha256"], row["bytes"])


def thumbnail(content: bytes, side: int) -> bytes | None:
    """A JPEG of the photo with at most `side` pixels across and down, without its metadata.

    None if the bytes are no image, a damaged one, or one that would take too much to decode: see `decode_within`.
    """
    pixels = decode_within(content, (side, side), _MAX_PIXELS)
    if pixels is None:
        return None
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY, optimize=True)
    return stream.getvalue()


def _row(lake: Lake, path: str, number: int) -> dict[str, Any] | None:
    """A row of a file of photos by its number; None if the file has fewer rows, or is not there."""
    try:
        with lake.parquet_file(path, block_bytes=_BLOCK_BYTES) as file:
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            starts = [0, *accumulate(sizes)]
            if number >= starts[-1]:
                return None
            group = bisect_right(starts, number) - 1
            table = file.read_row_group(group, ["product_id", "sha256", "bytes"])
            row: dict[str, Any] = table.slice(number - starts[group], 1).to_pylist()[0]
            return row
    except FileNotFoundError:
        return None


def _position(lake: Lake, batch: Batch, product_id: str) -> tuple[int, int] | None:
    """Shard of a product and its row there; None if the batch does not have it."""
    path = batch.file(Layer.PRODUCTS)
    try:
        wanted = pa.scalar(product_id, pa.string())
        shards = _ids_by_shard(lake.url(path), lake.filesystem.ukey(lake.full_path(path)), _Reader(lake, path))
    except (FileNotFoundError, UnicodeEncodeError):  # the latter of half a surrogate pair, which no id has
        return None
    found = ((shard, pc.index(ids, wanted).as_py()) for shard, ids in enumerate(shards))
    return next(((shard, row) for shard, row in found if row >= 0), None)


class _Reader:
    """Reads the ids of a file; equal to any other, since the cache tells files apart by what it is given beside."""

    def __init__(self, lake: Lake, path: str) -> None:
        self._lake, self._path = lake, path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reader)

    def __hash__(self) -> int:
        return 0

    def ids(self) -> list[pa.ChunkedArray]:
        with self._lake.parquet_file(self._path) as file:
            return [file.read_row_group(group, ["product_id"])["product_id"] for group in range(file.num_row_groups)]


@lru_cache(maxsize=_DAYS_REMEMBERED)
def _ids_by_shard(_url: str, _version: str, reader: _Reader) -> list[pa.ChunkedArray]:
    """The ids of a batch, kept as long as its file of products stays as it is."""
    return reader.ids()
