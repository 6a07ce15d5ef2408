"""From the bytes of a photo to the few pixels that a network sees."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from include.security.decoding_memory import MemoryBudget, decoding_bytes
from include.security.photo_file import SWAPPING_TURNS, RefusedPhotoError, open_photo, upright_turn

logger = logging.getLogger(__name__)

DECODING_VERSION = "d1"
"""Part of every image encoder's identity: raise it when the same photo would give other pixels."""

_GAP = 2.0
"""A photo more than twice this size is averaged over whole pixels first: faster, and hardly different."""
_BLOCK_SIDE = 512
"""Pixels across and down that change their colour mode at a time."""

_memory = MemoryBudget(256 * 1024**2)
"""What all threads of a process decode photos in: one of 50 megapixels, or sixty as they are kept."""

Size = tuple[int, int]
"""(height, width) in pixels."""


def decode_photo(content: bytes, size: Size, max_pixels: int, *, keep_proportions: bool = False) -> np.ndarray | None:
    """RGB pixels uint8 (height, width, 3) of the whole photo squeezed to `size` (height, width), upright.

    With `keep_proportions` it is not squeezed, but put in the middle of a white ground. A large JPEG is decoded at
    a half, a quarter or an eighth of its size, which costs a fraction of the time and memory. Transparent parts
    become white. None if the bytes are no image, a damaged one, or one of more than `max_pixels` pixels. Threads may
    decode at the same time: the work is done outside Python's lock, and all of them together take no more than 256 MiB,
    unless one photo alone takes more.
    """
    if not keep_proportions:
        return _decode(content, max_pixels, lambda height, width: size)
    pixels = _decode(content, max_pixels, lambda height, width: _fitting(height, width, size))
    return pixels if pixels is None or pixels.shape[:2] == size else _on_white_ground(pixels, size)


def decode_within(content: bytes, size: Size, max_pixels: int) -> np.ndarray | None:
    """RGB pixels uint8 (at most height, at most width, 3) of the whole photo in its proportions, upright.

    As `decode_photo` otherwise; a photo smaller than `size` (height, width) keeps its size.
    """
    return _decode(content, max_pixels, lambda height, width: _fitting(height, width, size, largest_factor=1.0))


def _decode(content: bytes, max_pixels: int, size_of: Callable[[int, int], Size]) -> np.ndarray | None:
    """The pixels of a photo in the size that `size_of` gives for the height and width that it has when upright."""
    try:
        photo = open_photo(content, max_pixels)
        full_pixels = photo.width * photo.height
        # A JPEG is set to a smaller size before its memory is estimated. To read the EXIF of a PNG decodes it.
        plan = _plan(photo, size_of) if photo.format == "JPEG" else None
        with _memory.share(decoding_bytes(photo, full_pixels)):
            turn, height, width = plan or _plan(photo, size_of)
            pixels = _resized(photo, height, width)
            photo.close()
            del photo  # some decoders keep their memory as long as the photo is there
        return np.asarray(pixels if turn is None else pixels.transpose(turn))
    except RefusedPhotoError as refusal:
        logger.info("photo is not decoded: bytes=%d reason=%s", len(content), refusal)
        return None
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files
        logger.info("photo cannot be decoded: bytes=%d error=%s", len(content), error)
        return None


def _plan(photo: Image.Image, size_of: Callable[[int, int], Size]) -> tuple[Image.Transpose | None, int, int]:
    """How to turn a photo upright, and its height and width before that; a JPEG will be decoded in about that size."""
    turn = upright_turn(photo)
    if turn in SWAPPING_TURNS:
        width, height = size_of(photo.width, photo.height)
    else:
        height, width = size_of(photo.height, photo.width)
    photo.draft("RGB", (width, height))
    return turn, height, width


def _fitting(height: int, width: int, size: Size, largest_factor: float = math.inf) -> Size:
    """Height and width in their proportions, as large as fits into `size`."""
    factor = min(largest_factor, size[0] / height, size[1] / width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def _resized(photo: Image.Image, height: int, width: int) -> Image.Image:
    """The photo in RGB and another size; what is transparent becomes white."""
    if photo.mode in ("RGB", "L"):
        return photo.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=_GAP).convert("RGB")
    # Other modes are not to be averaged as they are. What `resize` does first is done block by block, so that no
    # second copy of all pixels is made.
    across = int(photo.width / width / _GAP) or 1
    down = int(photo.height / height / _GAP) or 1
    reduced = Image.new("RGB", (math.ceil(photo.width / across), math.ceil(photo.height / down)))
    photo.load()
    block_width, block_height = (max(1, _BLOCK_SIDE // factor) * factor for factor in (across, down))
    for top in range(0, photo.height, block_height):
        for left in range(0, photo.width, block_width):
            right, bottom = min(left + block_width, photo.width), min(top + block_height, photo.height)
            block = _in_rgb(photo.crop((left, top, right, bottom)))
            reduced.paste(block.reduce((across, down)), (left // across, top // down))
    box = (0, 0, photo.width / across, photo.height / down)
    return reduced.resize((width, height), Image.Resampling.BILINEAR, box)


def _in_rgb(photo: Image.Image) -> Image.Image:
    """RGB of a photo in any mode, on white where it is transparent."""
    if not photo.has_transparency_data:
        return photo.convert("RGB")
    layered = photo.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered).convert("RGB")


def _on_white_ground(pixels: np.ndarray, size: Size) -> np.ndarray:
    """RGB pixels uint8 (*size, 3) with the given ones in the middle."""
    height, width, _ = pixels.shape
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    ground = np.full((*size, 3), 255, dtype=np.uint8)
    ground[top : top + height, left : left + width] = pixels
    return ground
