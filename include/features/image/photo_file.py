"""Opening the bytes of a photo that anybody may have made: what decoding would take is judged from the header."""

from __future__ import annotations

import io

from PIL import Image, JpegImagePlugin

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""What photos of products come in. Pillow knows fifty more; it reads one by running another program."""

_HEADER_READS = 10_000
"""Reads until a file's size in pixels is known: some hundreds in a photo, millions in one made of empty comments."""
_READS = 1_000_000
"""Reads in all: some thousands in a photo of 20 MB."""
_FULL_SIZE_SCANS = 50
"""Scans of a JPEG of the largest size allowed; a smaller one may have more. Encoders write about ten. Each goes through
all pixels again, and may be of a few bytes."""
_SCAN = b"\xff\xda"
_TILE_WIDTH, _TILE_HEIGHT = 322, 323


class RefusedPhotoError(Exception):
    """A file that is not decoded, since it would take too much memory or time."""


class _File(io.BytesIO):
    """A file in memory that can be read a limited number of times."""

    reads_left = _HEADER_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise RefusedPhotoError("it is in too many pieces")
        return super().read(size)


def open_photo(content: bytes, max_pixels: int) -> Image.Image:
    """The image in `content`, opened, but not decoded.

    Raises RefusedPhotoError if decoding would take more than `max_pixels` pixels (width x height) or go through them
    too often, and whatever Pillow raises on bytes that are no image of `FORMATS`.
    """
    file = _File(content)
    photo = Image.open(file, formats=FORMATS)
    pixels = max(photo.width * photo.height, _tile_pixels(photo))
    if pixels > max_pixels:
        raise RefusedPhotoError(f"it has more than {max_pixels} pixels: width={photo.width} height={photo.height}")
    if _may_have_more_scans(photo, content, file.tell()):
        scans = content.count(_SCAN)
        if scans * pixels > _FULL_SIZE_SCANS * max_pixels:
            raise RefusedPhotoError(f"it goes through its pixels {scans} times")
    file.reads_left = _READS
    return photo


def _tile_pixels(photo: Image.Image) -> int:
    """Pixels of one tile of a TIFF file, which is decoded whole and may be larger than the photo; 0 elsewhere."""
    tags = getattr(photo, "tag_v2", {})
    return int(tags.get(_TILE_WIDTH, 0)) * int(tags.get(_TILE_HEIGHT, 0))


def _may_have_more_scans(photo: Image.Image, content: bytes, position: int) -> bool:
    """Whether a JPEG, read up to the `position` where its first scan begins, does not have all its components in it.

    To look through all the bytes for scans takes a tenth of the time of decoding them.
    """
    if not isinstance(photo, JpegImagePlugin.JpegImageFile):
        return False
    components = photo.layers
    header = bytes((*_SCAN, 0, 6 + 2 * components, components))
    holds_all = content.startswith(header, position - 8 - 2 * components)
    return "progressive" in photo.info or not holds_all
