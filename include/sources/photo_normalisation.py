"""A photo as received becomes the photo that is kept: upright, RGB, JPEG, bounded in size.

What the bytes are is decided by their content, never by a file name or a header of the transfer, and what decoding
will take is judged before anything is decoded.
"""

from __future__ import annotations

import hashlib
import io
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from include.security.decoding_memory import MemoryBudget, decoding_bytes
from include.security.photo_file import RefusedPhotoError, open_photo, upright_turn

logger = logging.getLogger(__name__)

MAX_SIDE = 1024
"""Longest side of a kept photo in pixels: encoders read 224 to 300, people in the review page up to this."""
MAX_KEPT_BYTES = 2 * 1024**2
"""A JPEG up to `MAX_SIDE` with more bytes is written again: they are not the photo's, but comments or padding."""
JPEG_QUALITY = 92
BLOCK_PIXELS = 1_000_000
"""Pixels that are converted at a time."""
_SIGNATURES = (b"\xff\xd8", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_REDUCING_GAP = 2.0
_COPY_PIXEL_BYTES = 4
_LARGEST_WORK_BYTES = 80 * 1024**2
"""At most 4095 x 4095 pixels are not reduced first."""


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


def normalise_photo(content: bytes, max_pixels: int, memory: MemoryBudget | None = None) -> Photo:
    """Bytes of an image in, the photo to keep out; never raises for what the bytes are.

    A plain JPEG (upright, RGB, no side over `MAX_SIDE`) that decodes to its end is kept byte for byte.
    Everything else is turned upright, put on white where transparent, reduced to `MAX_SIDE`, and
    written as an RGB JPEG; the same bytes always give the same result. Animations give their first frame.

    `max_pixels` bounds width x height as the header states them; Pillow's own limit of 178 million
    pixels stands above it. Decoding takes its share of `memory`, and waits for it. Statuses: `ok`, `not_an_image`,
    `too_many_pixels`, `corrupt`.
    """
    try:
        with open_photo(content, max_pixels) as image:
            full_pixels = image.width * image.height
            # Before it is loaded, a JPEG can be asked to decode at a half, a quarter or an eighth, not below this size.
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            wanted = decoding_bytes(image, full_pixels) + _copying_bytes(image)
            # Closing gives the pixels back: Pillow's images stand in cycles, which are collected who knows when.
            with memory.share(wanted) if memory else nullcontext(), closing(image):
                return _kept(image, content)
    except RefusedPhotoError as refusal:
        logger.debug("photo of %d bytes is not decoded: %s", len(content), refusal)
        return Photo(refusal.status)
    except UnidentifiedImageError:
        return Photo("corrupt" if content.startswith(_SIGNATURES) else "not_an_image")
    except Exception as error:  # decoders raise nearly every type on hostile bytes
        logger.debug("photo of %d bytes does not decode: %r", len(content), error)
        return Photo("corrupt")


def _copying_bytes(image: Image.Image) -> int:
    """Bytes that turning an image into the kept one takes at most beside its own pixels."""
    copy = image.width * image.height * _COPY_PIXEL_BYTES
    # A photo that lies on its side is there twice while it is turned.
    return copy + min(_LARGEST_WORK_BYTES, copy)


def _kept(image: Image.Image, content: bytes) -> Photo:
    image.load()  # raises where the file is cut short
    turn = upright_turn(image)
    is_plain = image.format == "JPEG" and image.mode == "RGB" and turn is None
    if is_plain and max(image.size) <= MAX_SIDE and len(content) <= MAX_KEPT_BYTES:
        return _photo(content, image.width, image.height)
    kept = _reduced(image if turn is None else image.transpose(turn))
    kept.info.clear()
    stream = io.BytesIO()
    kept.save(stream, "JPEG", quality=JPEG_QUALITY)
    return _photo(stream.getvalue(), kept.width, kept.height)


def _photo(content: bytes, width: int, height: int) -> Photo:
    return Photo("ok", hashlib.sha256(content).hexdigest(), width, height, content)


def _reduced(image: Image.Image) -> Image.Image:
    """An image in RGB, reduced to `MAX_SIDE`: what `thumbnail` makes of it in RGB, without a copy of all its pixels."""
    size = _fitting(image.width, image.height)
    if image.mode == "RGB" and not image.has_transparency_data:
        return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC, None, _REDUCING_GAP)
    # First by a whole number, block after block as it is converted; the rest by interpolation.
    across = int(image.width / size[0] / _REDUCING_GAP) or 1
    down = int(image.height / size[1] / _REDUCING_GAP) or 1
    reduced = Image.new("RGB", (math.ceil(image.width / across), math.ceil(image.height / down)))
    to_rgb = _conversion(image, across, down)
    for left, top, block in _blocks(image, across, down):
        reduced.paste(to_rgb(block).reduce((across, down)), (left // across, top // down))
    if image.size == size:
        return reduced
    return reduced.resize(size, Image.Resampling.BICUBIC, (0, 0, image.width / across, image.height / down))


def _fitting(width: int, height: int) -> tuple[int, int]:
    """The size within `MAX_SIDE` in the same proportions, as `thumbnail` rounds it; never larger than it was."""
    if width <= MAX_SIDE and height <= MAX_SIDE:
        return width, height
    aspect = width / height
    if aspect <= 1:
        return _nearest(MAX_SIDE * aspect, lambda n: abs(aspect - n / MAX_SIDE)), MAX_SIDE
    return MAX_SIDE, _nearest(MAX_SIDE / aspect, lambda n: abs(aspect - MAX_SIDE / n) if n else 0)


def _nearest(number: float, error: Callable[[int], float]) -> int:
    return max(min(math.floor(number), math.ceil(number), key=error), 1)


def _blocks(image: Image.Image, across: int, down: int) -> Iterator[tuple[int, int, Image.Image]]:
    """Left, top and content of the blocks of an image; only those at its edges are no multiple of across x down."""
    width = max(1, BLOCK_PIXELS // down // across) * across
    height = max(1, BLOCK_PIXELS // min(width, image.width) // down) * down
    for top in range(0, image.height, height):
        for left in range(0, image.width, width):
            right, bottom = min(left + width, image.width), min(top + height, image.height)
            yield left, top, image.crop((left, top, right, bottom))


def _conversion(image: Image.Image, across: int, down: int) -> Callable[[Image.Image], Image.Image]:
    """How the blocks of an image become RGB."""
    if image.mode.startswith("I;16"):
        return lambda block: _in_eight_bits(block, over=257.0)
    if image.mode in ("I", "F"):
        highest = max(_highest(block) for _, _, block in _blocks(image, across, down))
        if image.mode == "F" and highest <= 1.0:
            return lambda block: _in_eight_bits(block, times=255.0)
        return lambda block: _in_eight_bits(block, over=257.0 if highest > 255.0 else 1.0)
    return _on_white if image.has_transparency_data else lambda block: block.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    pixels = image.convert("RGBA")
    opaque = Image.new("RGB", image.size, "white")
    opaque.paste(pixels, mask=pixels.getchannel("A"))
    return opaque


def _highest(image: Image.Image) -> float:
    import numpy as np

    return float(np.nan_to_num(np.asarray(image, dtype=np.float64)).max(initial=0.0))


def _in_eight_bits(image: Image.Image, times: float = 1.0, over: float = 1.0) -> Image.Image:
    """A 16-bit, 32-bit or floating point greyscale image in 8 bits; 16-bit depth is assumed above 255."""
    import numpy as np

    values = np.nan_to_num(np.asarray(image, dtype=np.float64)) * times / over
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8)).convert("RGB")
