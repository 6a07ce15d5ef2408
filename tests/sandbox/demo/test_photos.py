"""Drawn photos are JPEGs of the promised size, the same each time, and show different things differently."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageStat

from include.sandbox.demo.photos import SHAPES, draw_photo
from include.sandbox.demo.text import DrawnText, load_vocabulary, seeded

TEXT = load_vocabulary().draw("champagne", seeded("photo"))


def picture(text: DrawnText, *chance: object) -> Image.Image:
    image = Image.open(io.BytesIO(draw_photo(text, seeded(*chance))))
    image.load()
    return image


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_every_shape_can_be_photographed(shape: str) -> None:
    for number in range(3):
        image = picture(replace(TEXT, shape=shape), shape, number)
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert 300 <= max(image.size) <= 400
        assert ImageStat.Stat(image.convert("L")).stddev[0] > 2


def test_the_same_product_gives_the_same_bytes() -> None:
    assert draw_photo(TEXT, seeded("a")) == draw_photo(TEXT, seeded("a"))
    assert draw_photo(TEXT, seeded("a")) != draw_photo(TEXT, seeded("b"))


def test_the_label_of_the_pack_shows_the_name() -> None:
    """Somewhere among a dozen photos, another name must give another picture."""
    other = replace(TEXT, name="Moutarde")
    assert any(
        ImageChops.difference(picture(TEXT, number), picture(other, number)).getbbox() is not None
        for number in range(12)
    )
