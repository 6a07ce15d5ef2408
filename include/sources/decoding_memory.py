"""How much memory decoding takes, and a budget of it that threads share.

A photo's header says what decoding will take: a file of 100 KB may become 200 MB of pixels. Threads that decode wait
until their photo's share of the budget is free, in the order in which they came.
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
_OTHER_PIXEL_BYTES = 4
"""Pillow keeps every other mode in four bytes a pixel, RGB too."""

_WEBP_BYTES = 20
"""A pixel's bytes while libwebp decodes: two canvases, its own buffer, a copy of the canvas, and the photo."""

_SAMPLE_BYTES = 8
"""A pixel's bytes in the buffer of a strip or tile of a TIFF file: four samples of 16 bits."""

_COEFFICIENT_BYTES = 2
"""A JPEG of several scans is held as coefficients, one for each pixel and component, until the last scan is read."""

_WORK_BYTES = 80 * 1024**2
"""What turning a photo into a kept one takes beside it: at most 4095 x 4095 pixels that are not reduced first."""


_LARGE_BYTES = 16 * 1024**2
"""Share from which memory is worth giving back; what an ordinary small photo took, the next one takes again."""


class MemoryBudget:
    """Bytes that threads take shares of; whoever asks first gets its share first.

    What was freed is given back to the system whenever half of the budget was used: glibc keeps it otherwise, for each
    thread that ever decoded a large photo.
    """

    def __init__(self, limit: int) -> None:
        """`limit` in bytes."""
        self._limit = limit
        self._taken = 0
        self._freed = 0
        """Bytes of shares that ended since memory was last given back."""
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def share(self, wanted: int) -> Iterator[None]:
        """A block that may use `wanted` bytes; it begins when they are free.

        Who wants more than the limit gets all of it, and so is alone. A thread that has a share must not ask for
        another: it could wait for itself.
        """
        size = min(wanted, self._limit)
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is turn and self._taken + size <= self._limit)
                self._taken += size
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._freed += size if size >= _LARGE_BYTES else 0
                is_much = self._freed >= self._limit // 2
                if is_much:
                    self._freed = 0
            if is_much:
                _give_back()
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


def _give_back() -> None:
    """Give memory that was freed back to the system, where the C library knows how (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def decoding_bytes(image: Image.Image, full_pixels: int) -> int:
    """Bytes that an image takes at most while it is decoded and reduced, from its header.

    `full_pixels` is its width x height in the file; a JPEG's `draft` makes `image` itself smaller.
    """
    pixels = image.width * image.height
    decoded = pixels * _PIXEL_BYTES.get(image.mode, _OTHER_PIXEL_BYTES)
    if image.format in ("JPEG", "MPO"):
        decoded += full_pixels * _COEFFICIENT_BYTES * len(image.getbands())
    elif image.format == "WEBP":
        decoded = pixels * _WEBP_BYTES
    elif image.format == "TIFF":
        decoded += max(pixels, tile_pixels(image)) * _SAMPLE_BYTES
    elif image.format == "GIF":
        decoded = pixels * _OTHER_PIXEL_BYTES
    # A photo that lies on its side is there twice while it is turned.
    turned = pixels * _OTHER_PIXEL_BYTES
    return decoded + turned + min(_WORK_BYTES, pixels * _OTHER_PIXEL_BYTES)


def tile_pixels(image: Image.Image) -> int:
    """Pixels of a tile of a TIFF file, which may be larger than the image; 0 where there are none."""
    tags = getattr(image, "tag_v2", {})
    width, height = tags.get(322, 0), tags.get(323, 0)
    return int(width) * int(height)
