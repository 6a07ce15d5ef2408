from __future__ import annotations

import io
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from include.features.image import kept_photos
from include.features.image.kept_photos import SIDES, kept_photo, thumbnail
from include.schema import IMAGES, PRODUCTS, Product
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

BATCH = Batch("s", date(2026, 1, 5))
SHARDS, ROWS, GROUP = 3, 20, 8


def picture(width: int = 40, height: int = 30, file_format: str = "JPEG", mode: str = "RGB", seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 4 if mode == "RGBA" else 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels, mode).save(stream, file_format)
    return stream.getvalue()


def content_of(number: int) -> bytes | None:
    """The photo of a product; every fifth has none."""
    return None if number % 5 == 0 else b"photo %d" % number


def write_photos(lake: Lake, numbers: list[int], *, rows: int = ROWS) -> None:
    """A day with the products of these numbers in their order, in shards of some rows, and their photos."""
    shards = [numbers[start : start + rows] for start in range(0, len(numbers), rows)]
    with lake.parquet_writer(BATCH.file(Layer.PRODUCTS), PRODUCTS) as writer:
        for shard in shards:
            products = [Product("s", str(number), name="a name").to_row() for number in shard]
            writer.write_table(pa.Table.from_pylist(products, schema=PRODUCTS))
    for place, shard in enumerate(shards):
        with lake.parquet_writer(BATCH.file(Layer.IMAGES, place), IMAGES) as writer:
            photos = [
                {
                    "product_id": f"s:{number}",
                    "status": "ok" if content_of(number) else "not_found",
                    "sha256": f"hash {number}" if content_of(number) else None,
                    "bytes": content_of(number),
                }
                for number in shard
            ]
            writer.write_table(pa.Table.from_pylist(photos, schema=IMAGES), row_group_size=GROUP)


NUMBERS = np.random.default_rng(1).permutation(SHARDS * ROWS - 7).tolist()


def test_each_product_has_its_own_photo(any_lake: Lake) -> None:
    write_photos(any_lake, NUMBERS)
    for number in NUMBERS:
        found = kept_photo(any_lake, BATCH, f"s:{number}")
        assert (found and found.content) == content_of(number)
        assert found is None or found.sha256 == f"hash {number}"


def test_what_is_not_there_is_none(any_lake: Lake) -> None:
    assert kept_photo(any_lake, BATCH, "s:1") is None
    write_photos(any_lake, NUMBERS)
    for product_id in ("s:99999", "", "\ud800", "../s:1"):
        assert kept_photo(any_lake, BATCH, product_id) is None
    assert kept_photo(any_lake, Batch("other", BATCH.day), "s:1") is None


def test_another_photo_than_the_one_asked_for_is_none(lake: Lake) -> None:
    write_photos(lake, NUMBERS)
    assert kept_photo(lake, BATCH, "s:1", "hash 1") is not None
    assert kept_photo(lake, BATCH, "s:1", "hash 2") is None


def test_a_day_that_was_validated_again_is_read_anew(any_lake: Lake) -> None:
    """Not by the positions that are remembered of the day as it was."""
    write_photos(any_lake, NUMBERS)
    assert kept_photo(any_lake, BATCH, "s:1") is not None
    write_photos(any_lake, [*range(100, 130), 1])
    found = kept_photo(any_lake, BATCH, "s:1")
    assert found is not None and found.content == b"photo 1"
    assert kept_photo(any_lake, BATCH, "s:2") is None


def test_photos_of_an_earlier_validation_are_not_given_to_others(lake: Lake) -> None:
    write_photos(lake, NUMBERS)
    kept = lake.read_bytes(BATCH.file(Layer.IMAGES))
    write_photos(lake, NUMBERS[::-1])
    lake.write_bytes(BATCH.file(Layer.IMAGES), kept)
    for number in NUMBERS:
        found = kept_photo(lake, BATCH, f"s:{number}")
        assert found is None or found.content == content_of(number)


def test_a_day_without_photos_has_none(lake: Lake) -> None:
    write_photos(lake, NUMBERS)
    lake.delete(BATCH.folder(Layer.IMAGES))
    assert kept_photo(lake, BATCH, "s:1") is None


def test_of_one_photo_one_row_group_is_read(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photos(lake, NUMBERS)
    kept_photo(lake, BATCH, "s:1")
    read: list[int] = []
    original = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, *arguments: object, **options: object) -> pa.Table:
        table = original(self, *arguments, **options)
        read.append(table.num_rows)
        return table

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    kept_photo(lake, BATCH, "s:2")
    assert len(read) == 1
    assert read[0] <= GROUP


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("width", "height"), [(1024, 512), (300, 900), (40, 30), (1, 1)], ids=["wide", "tall", "small", "pixel"]
)
def test_a_thumbnail_is_no_larger_than_asked_for_and_keeps_its_proportions(side: int, width: int, height: int) -> None:
    small = Image.open(io.BytesIO(thumbnail(picture(width, height), side) or b""))
    assert small.format == "JPEG"
    assert max(small.size) == min(side, max(width, height))
    assert abs(small.width / small.height - width / height) <= 0.05 * width / height


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_whatever_a_photo_is_the_thumbnail_is_a_jpeg(file_format: str) -> None:
    made = thumbnail(picture(200, 200, file_format, "RGBA" if file_format == "PNG" else "RGB"), 96)
    assert made is not None and made.startswith(b"\xff\xd8\xff")


def test_a_thumbnail_has_no_metadata() -> None:
    photo = Image.open(io.BytesIO(picture(200, 100)))
    stream, exif = io.BytesIO(), photo.getexif()
    exif[0x010E] = "<script>alert(1)</script>"
    exif[0x0112] = 6
    photo.save(stream, "JPEG", exif=exif, comment=b"<script>")
    made = thumbnail(stream.getvalue(), 96)
    assert made is not None and b"script" not in made
    small = Image.open(io.BytesIO(made))
    assert (small.width, small.height) == (48, 96), "it is upright without its Exif"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        picture()[:200],
        b"\xff\xd8\xff" + b"\0" * 1000,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    ],
    ids=["nothing", "svg", "html", "cut", "zeros", "postscript"],
)
def test_what_is_no_photo_has_no_thumbnail(content: bytes) -> None:
    assert thumbnail(content, 96) is None


def test_a_photo_of_too_many_pixels_is_not_decoded() -> None:
    stream = io.BytesIO()
    Image.new("1", (kept_photos._MAX_PIXELS // 1000 + 1, 1000)).save(stream, "PNG")
    assert thumbnail(stream.getvalue(), 96) is None
