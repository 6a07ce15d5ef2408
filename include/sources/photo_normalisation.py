"""A photo as received becomes the photo that is kept: upright, RGB, JPEG, bounded in size.

What the bytes are is decided by their content, never by a file name or a header of the transfer, and
the size in pixels is checked before anything is decoded.
"""

from __future__ import annotations

import hashlib
import io
import logging
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

logger = logging.getLogger(__name__)

ALLOWED_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_SIDE = 1024
"""Longest side of a kept photo in pixels: encoders read 224 to 300, people in the review page up to this."""
JPEG_QUALITY = 92
_SIGNATURES = (b"\xff\xd8", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo, or the reason why there is none."""

    status: str
    """`ok`, or one of the reasons listed at `include.schema.IMAGES`."""
    sha256: str | None = None
    """SHA-256 (hex) of `content`."""
    width: int | None = None
    height: int | None = None
    """Size of `content` in pixels."""
    content: bytes | None = None
    """An upright RGB JPEG, or None unless `status` is `ok`."""


def normalise_photo(content: bytes, max_pixels: int) -> Photo:
    """Bytes of an image in, the photo to keep out; never raises for what the bytes are.

    A plain JPEG (upright, RGB, no side over `MAX_SIDE`) that decodes to its end is kept byte for byte.
    Everything else is turned upright, put on white where transparent, reduced to `MAX_SIDE`, and
    written as an RGB JPEG; the same bytes always give the same result. Animations give their first frame.

    `max_pixels` bounds width x height as the header states them; Pillow's own limit of 178 million
    pixels stands above it. Statuses: `ok`, `not_an_image`, `too_many_pixels`, `corrupt`.
    """
    try:
        with Image.open(io.BytesIO(content), formats=ALLOWED_FORMATS) as image:
            if image.width * image.height > max_pixels:
                return Photo("too_many_pixels")
            return _kept(image, content)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Photo("too_many_pixels")
    except UnidentifiedImageError:
        return Photo("corrupt" if content.startswith(_SIGNATURES) else "not_an_image")
    except Exception as error:  # decoders raise nearly every type on hostile bytes
        logger.debug("photo of %d bytes does not decode: %r", len(content), error)
        return Photo("corrupt")


def _kept(image: Image.Image, content: bytes) -> Photo:
    if _is_plain(image):
        image.load()  # raises where the file is cut short
        return _photo(content, image.width, image.height)
    # Before it is loaded, a JPEG can be asked to decode at a half, a quarter or an eighth, not below this size.
    image.draft("RGB", (MAX_SIDE, MAX_SIDE))
    upright = _to_rgb(ImageOps.exif_transpose(image))
    upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    upright.info.clear()
    stream = io.BytesIO()
    upright.save(stream, "JPEG", quality=JPEG_QUALITY)
    return _photo(stream.getvalue(), upright.width, upright.height)


def _photo(content: bytes, width: int, height: int) -> Photo:
    return Photo("ok", hashlib.sha256(content).hexdigest(), width, height, content)


def _is_plain(image: Image.Image) -> bool:
    orientation = image.getexif().get(0x0112, 1)
    return image.format == "JPEG" and image.mode == "RGB" and max(image.size) <= MAX_SIDE and orientation in (0, 1)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _to_eight_bits(image).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    pixels = image.convert("RGBA")
    opaque = Image.new("RGB", image.size, "white")
    opaque.paste(pixels, mask=pixels.getchannel("A"))
    return opaque


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """A 16-bit, 32-bit or floating point greyscale image in 8 bits; 16-bit depth is assumed above 255."""
    import numpy as np

    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    highest = float(values.max(initial=0.0))
    if image.mode == "F" and highest <= 1.0:
        values = values * 255.0
    elif image.mode.startswith("I;16") or highest > 255.0:
        values = values / 257.0
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
