"""From the bytes of a photo to the few pixels that a network sees."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import numpy as np
from PIL import Image

logger = logging.getLogger(__name__)

DECODING_VERSION = "d1"
"""Part of every image encoder's identity: raise it when the same photo would give other pixels."""

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
_TURNED = {_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)}
"""Turns that swap width and height."""


def decode_photo(
    content: bytes, size: tuple[int, int], max_pixels: int, *, keep_proportions: bool = False
) -> np.ndarray | None:
    """RGB pixels uint8 (height, width, 3) of the whole photo squeezed to `size` (height, width), upright.

    With `keep_proportions` it is not squeezed, but put in the middle of a white ground. A large JPEG is decoded at
    a half, a quarter or an eighth of its size, which costs a fraction of the time and memory. Transparent parts
    become white. None if the bytes are no image, a damaged one, or one of more than `max_pixels` pixels. Threads may
    decode at the same time: the work is done outside Python's lock.
    """
    return _decode(content, max_pixels, lambda photo, turn: _shrink(photo, size, turn, keep_proportions))


def decode_within(content: bytes, size: tuple[int, int], max_pixels: int) -> np.ndarray | None:
    """RGB pixels uint8 (at most height, at most width, 3) of the whole photo in its proportions, upright.

    As `decode_photo` otherwise; a photo smaller than `size` (height, width) keeps its size.
    """
    return _decode(content, max_pixels, lambda photo, turn: _shrink_within(photo, size, turn))


def _decode(
    content: bytes, max_pixels: int, shrink: Callable[[Image.Image, Image.Transpose | None], Image.Image]
) -> np.ndarray | None:
    try:
        with Image.open(io.BytesIO(content)) as photo:
            if photo.width * photo.height > max_pixels:
                logger.info("photo is too large to decode: width=%d height=%d", photo.width, photo.height)
                return None
            return np.asarray(shrink(photo, _UPRIGHT.get(photo.getexif().get(_ORIENTATION, 1))))
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files
        logger.info("photo cannot be decoded: bytes=%d error=%s", len(content), error)
        return None


def _shrink_within(photo: Image.Image, size: tuple[int, int], turn: Image.Transpose | None) -> Image.Image:
    height, width = size[::-1] if turn in _TURNED else size
    factor = min(1.0, height / photo.height, width / photo.width)
    upright = _resized(photo, max(1, round(photo.height * factor)), max(1, round(photo.width * factor)))
    return upright if turn is None else upright.transpose(turn)


def _shrink(
    photo: Image.Image, size: tuple[int, int], turn: Image.Transpose | None, keep_proportions: bool
) -> Image.Image:
    height, width = size[::-1] if turn in _TURNED else size
    if keep_proportions:
        factor = min(height / photo.height, width / photo.width)
        height, width = max(1, round(photo.height * factor)), max(1, round(photo.width * factor))
    pixels = _resized(photo, height, width)
    upright = pixels if turn is None else pixels.transpose(turn)
    if upright.size == size[::-1]:
        return upright
    ground = Image.new("RGB", size[::-1], "white")
    ground.paste(upright, ((size[1] - upright.width) // 2, (size[0] - upright.height) // 2))
    return ground


def _resized(photo: Image.Image, height: int, width: int) -> Image.Image:
    photo.draft("RGB", (width, height))
    opaque = photo if photo.mode in {"RGB", "L", "CMYK"} else _on_white(photo)
    return opaque.convert("RGB").resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _on_white(photo: Image.Image) -> Image.Image:
    if not photo.has_transparency_data:
        return photo
    layered = photo.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered)
