"""How much memory decoding takes, and a budget of it that threads share.

A photo's header says what decoding will take: a file of 100 KB may become 200 MB of pixels. Threads that decode wait
until their photo's share of the budget is free, in the order in which they came.
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque

from PIL import Image

from include.security.photo_file import has_several_scans, tile_pixels

_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
_OTHER_PIXEL_BYTES = 4
"""Pillow keeps every other mode in four bytes a pixel, RGB too."""

_WEBP_BYTES = 20
"""A pixel's bytes while libwebp decodes: two canvases, its own buffer, a copy of the canvas, and the photo."""

_SAMPLE_BYTES = 8
"""A pixel's bytes in the buffer of a strip or tile of a TIFF file: four samples of 16 bits."""

_COEFFICIENT_BYTES = 2
"""A JPEG of several scans is held as coefficients, one for each pixel and component, until the last scan is read."""

_LARGE_BYTES = 16 * 1024**2
"""Share from which memory is worth giving back; what an ordinary small photo took, the next one takes again."""

# Pillow's own blocks of 16 MiB stay with the thread that decoded a large photo. Larger ones go back to the system.
Image.core.set_block_size(64 * 1024**2)  # type: ignore[attr-defined]


class MemoryBudget:
    """Bytes that threads take shares of; who asks first gets its share first.

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

    def share(self, wanted: int) -> _Share:
        """A block that may use `wanted` bytes; it begins when they are free.

        Who wants more than the limit gets all of it, and so is alone. A thread that has a share must not ask for
        another: it could wait for itself.
        """
        return _Share(self, min(wanted, self._limit))

    def take(self, size: int) -> None:
        """Wait until `size` bytes, at most the limit, are free, and take them."""
        with self._changed:
            if self._waiting or self._taken + size > self._limit:
                self._wait(size)
            self._taken += size

    def give(self, size: int) -> None:
        """Free `size` bytes that were taken."""
        if size >= _LARGE_BYTES and self._is_much_freed_with(size):
            _give_back()
        with self._changed:
            self._taken -= size
            if self._waiting:
                self._changed.notify_all()

    def _wait(self, size: int) -> None:
        """Return, with the lock held, when everybody who came before has a share and `size` bytes are free."""
        turn = object()
        self._waiting.append(turn)
        try:
            self._changed.wait_for(lambda: self._waiting[0] is turn and self._taken + size <= self._limit)
        finally:
            self._waiting.remove(turn)
            self._changed.notify_all()

    def _is_much_freed_with(self, size: int) -> bool:
        """Whether, with a share of `size` bytes that ends, half of the budget was freed since this was last so."""
        with self._changed:
            self._freed += size
            is_much = self._freed >= self._limit // 2
            if is_much:
                self._freed = 0
            return is_much


class _Share:
    """Bytes of a budget, taken for a block. Every photo takes one: a generator would take three times as long."""

    __slots__ = ("_budget", "_size")

    def __init__(self, budget: MemoryBudget, size: int) -> None:
        self._budget, self._size = budget, size

    def __enter__(self) -> None:
        self._budget.take(self._size)

    def __exit__(self, *_error: object) -> None:
        self._budget.give(self._size)


def _give_back() -> None:
    """Give memory that was freed back to the system, where the C library knows how (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def decoding_bytes(photo: Image.Image, full_pixels: int) -> int:
    """Bytes that a photo takes at most while it is decoded, from its header: before it is loaded.

    `full_pixels` is its width x height in the file; a JPEG's `draft` makes `photo` itself smaller.
    """
    pixels = photo.width * photo.height
    decoded = pixels * _PIXEL_BYTES.get(photo.mode, _OTHER_PIXEL_BYTES)
    if photo.format == "WEBP":
        return pixels * _WEBP_BYTES
    if photo.format == "GIF":
        return pixels * _OTHER_PIXEL_BYTES
    if photo.format == "TIFF":
        return decoded + max(pixels, tile_pixels(photo)) * _SAMPLE_BYTES
    if has_several_scans(photo):
        return decoded + full_pixels * _COEFFICIENT_BYTES * len(photo.getbands())
    return decoded
