"""Photos that the photo path is measured on: real ones, or drawn ones where those are not at hand."""

from __future__ import annotations

import io
import random
from pathlib import Path

from PIL import Image

from include.sandbox.demo.demo_catalogue import GROCERIES
from include.sandbox.demo.photos import draw_photo
from include.sandbox.demo.text import load_vocabulary

_SMALLER = 4
"""Photos made smaller for each original, of both kinds of photos."""
_DRAWN_ORIGINALS = 20
_ORIGINAL_SIDE = 1_200


def real_photos(data: Path) -> list[bytes]:
    """The 46 originals of the Flipkart sample, each followed by four photos that were already made smaller."""
    originals = sorted((data / "flipkart" / "originals_sample").glob("*.jpg"))
    smaller = sorted((data / "flipkart" / "images").glob("*.jpg"))[: _SMALLER * len(originals)]
    return [
        path.read_bytes()
        for number, original in enumerate(originals)
        for path in (original, *smaller[number * _SMALLER : (number + 1) * _SMALLER])
    ]


def drawn_photos(count: int = _DRAWN_ORIGINALS * (1 + _SMALLER)) -> list[bytes]:
    """Photos that the sandbox draws, 300 to 400 pixels large; every fifth is enlarged to 1,200. Always the same."""
    chance = random.Random(0)
    vocabulary, labels = load_vocabulary(), list(GROCERIES)
    photos = [draw_photo(vocabulary.draw(chance.choice(labels), chance), chance) for _ in range(count)]
    return [photo if number % (1 + _SMALLER) else _enlarged(photo) for number, photo in enumerate(photos)]


def _enlarged(photo: bytes) -> bytes:
    stream = io.BytesIO()
    with Image.open(io.BytesIO(photo)) as image:
        factor = _ORIGINAL_SIDE / max(image.size)
        image.resize((round(image.width * factor), round(image.height * factor))).save(stream, "JPEG", quality=90)
    return stream.getvalue()
