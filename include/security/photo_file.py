"""Opening the bytes of a photo that anybody may have made: what decoding would take is judged from the header."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image, JpegImagePlugin, PngImagePlugin

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""What photos of products come in. Pillow knows fifty more; it reads one by running another program."""

_HEADER_READS = 10_000
"""Reads until a file's size in pixels is known: some hundreds in a photo, millions in one made of empty comments."""
_READS = 1_000_000
"""Reads in all: some thousands in a photo of 20 MB."""
_SMALL_FILE_BYTES = 256 * 1024
"""A file up to this has no room for a header that does harm, and its reads are not counted."""
_FULL_SIZE_SCANS = 50
"""Scans of a JPEG of the largest size allowed; a smaller one may have more. Encoders write about ten. Each goes through
all pixels again, and may be of a few bytes."""
_SCAN = b"\xff\xda"
_SCAN_BYTES = 10
"""Bytes of the shortest scan's header."""
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SWAPPING_TURNS = {_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)}
"""Turns that swap width and height."""

# Text of a PNG is unpacked with its header, in every thread that waits for memory: 64 MiB is too much.
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024**2


class RefusedPhotoError(Exception):
    """A file that is not decoded, since it would take too much memory or time."""

    def __init__(self, status: Literal["too_many_pixels", "corrupt"], reason: str) -> None:
        """`status` is one of those listed at `include.schema.IMAGES`."""
        super().__init__(reason)
        self.status = status


class _CountedFile(io.BytesIO):
    """A file in memory that can be read a limited number of times."""

    reads_left = _HEADER_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise RefusedPhotoError("corrupt", "it is in too many pieces")
        return super().read(size)


def open_photo(content: bytes, max_pixels: int) -> Image.Image:
    """The image in `content`, opened, but not decoded.

    Raises RefusedPhotoError if decoding would take more than `max_pixels` pixels (width x height; Pillow's own limit of
    178 million stands above it), go through them too often, or read the file in too many pieces; and whatever Pillow
    raises on bytes that are no image of `FORMATS`.
    """
    file = _CountedFile(content) if len(content) > _SMALL_FILE_BYTES else io.BytesIO(content)
    try:
        photo = Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise RefusedPhotoError("too_many_pixels", str(bomb)) from bomb
    pixels = max(photo.width * photo.height, tile_pixels(photo))
    if pixels > max_pixels:
        raise RefusedPhotoError(
            "too_many_pixels", f"it has more than {max_pixels} pixels: width={photo.width} height={photo.height}"
        )
    most_scans = _FULL_SIZE_SCANS * max_pixels // max(1, pixels)
    # To look through all the bytes for scans takes a tenth of the time of decoding them.
    if len(content) > most_scans * _SCAN_BYTES and has_several_scans(photo):
        scans = content.count(_SCAN)
        if scans > most_scans:
            raise RefusedPhotoError("too_many_pixels", f"it goes through its pixels {scans} times")
    if isinstance(file, _CountedFile):
        file.reads_left = _READS
    return photo


def upright_turn(photo: Image.Image) -> Image.Transpose | None:
    """The turn that puts a photo upright by its Exif orientation; None if it is upright, or has no such data."""
    return _UPRIGHT.get(photo.getexif().get(_ORIENTATION, 1))


def tile_pixels(photo: Image.Image) -> int:
    """Pixels of one tile of a TIFF file, which is decoded whole and may be larger than the photo; 0 elsewhere."""
    tags = getattr(photo, "tag_v2", {})
    return int(tags.get(_TILE_WIDTH, 0)) * int(tags.get(_TILE_HEIGHT, 0))


def has_several_scans(photo: Image.Image) -> bool:
    """Whether a JPEG that was opened, and not read on, has more to come after its first scan.

    Where the first scan has all components, decoding ends with it. MPO, which are several JPEGs, count as having more.
    """
    if not isinstance(photo, JpegImagePlugin.JpegImageFile):
        return False
    if photo.format != "JPEG" or "progressive" in photo.info or photo.fp is None:
        return True
    components = photo.layers
    start = bytes((*_SCAN, 0, 6 + 2 * components, components))
    length = len(start) + 2 * components + 3
    photo.fp.seek(-length, io.SEEK_CUR)
    return not photo.fp.read(length).startswith(start)
