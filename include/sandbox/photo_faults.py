"""Faults of photos: what is served at an address that ends in `.jpg`."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache

from PIL import Image

from include.sandbox.faults import PHOTO_FAULTS, Fault, Faults
from include.sandbox.response_faults import HTML_PAGE

JPEG = "image/jpeg"
BOMB_SIDE = 9_700
"""Side of the bomb in pixels: 94 megapixels, more than the largest original ever seen in a catalogue."""
_EXIF_ORIENTATION = 0x0112
_LIES_ON_ITS_SIDE = 6


def serve_photo(photo: bytes | None, path: str, faults: Faults) -> tuple[bytes, str] | None:
    """What is served for a photo at `path`: content and content type, or None for 404."""
    for fault, _ in faults.of_content(path, PHOTO_FAULTS):
        if fault.picks(path):
            return _spoil(photo, fault)
    return None if photo is None else (photo, JPEG)


def _spoil(photo: bytes | None, fault: Fault) -> tuple[bytes, str] | None:
    if fault.name == "photo_html":
        return HTML_PAGE, JPEG
    if fault.name == "photo_bomb":
        return pixel_bomb(), JPEG
    if fault.name == "photo_missing" or photo is None:
        return None
    if fault.name == "photo_corrupt":
        return corrupt(photo), JPEG
    if fault.name == "photo_oversize":
        return photo + bytes(fault.megabytes * 1024**2), JPEG
    return _RESAVED[fault.name](photo), JPEG


@lru_cache(maxsize=1)
def pixel_bomb() -> bytes:
    """A valid PNG of 9700 × 9700 black pixels, 1 bit each: 12 kB that decode to 94 megapixels."""
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 1, 0, 0, 0, 0)
    row = bytes(1 + (BOMB_SIDE + 7) // 8)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", header)
        + _png_chunk(b"IDAT", zlib.compress(row * BOMB_SIDE, 9))
        + _png_chunk(b"IEND", b"")
    )


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def corrupt(photo: bytes) -> bytes:
    """The photo cut in the middle, as after an upload that broke off."""
    return photo[: len(photo) // 2]


def rotated(photo: bytes) -> bytes:
    """The photo saved on its side with the EXIF orientation 6, as telephones do it."""
    image = Image.open(io.BytesIO(photo)).convert("RGB").rotate(90, expand=True)
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = _LIES_ON_ITS_SIDE
    return _save(image, "JPEG", quality=85, exif=exif)


def cmyk(photo: bytes) -> bytes:
    """The photo as a CMYK JPEG, as printers deliver them."""
    return _save(Image.open(io.BytesIO(photo)).convert("CMYK"), "JPEG", quality=85)


def palette(photo: bytes) -> bytes:
    """The photo as a PNG of 64 colours, one of them transparent."""
    return _save(Image.open(io.BytesIO(photo)).convert("RGB").quantize(64), "PNG", transparency=0)


def webp(photo: bytes) -> bytes:
    """The photo as WebP."""
    return _save(Image.open(io.BytesIO(photo)), "WEBP", quality=80)


def _save(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


_RESAVED: dict[str, Callable[[bytes], bytes]] = {
    "photo_rotated": rotated,
    "photo_cmyk": cmyk,
    "photo_palette": palette,
    "photo_webp": webp,
}
