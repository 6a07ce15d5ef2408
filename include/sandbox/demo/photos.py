"""Photos of drawn products: a thing before a background, with a printed label that can be read in part.

Light, angle, distance, noise and compression vary; some pictures show the back of the pack, a blur or a
surface, and carry no information. The same product always gives the same bytes (with the same Pillow).
"""

from __future__ import annotations

import io
import math
import random
import textwrap
import unicodedata
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from include.sandbox.demo.canvas import BLACK, GOLD, WHITE, Area, Canvas, Colour, Painter, Plane, colour_of, mixed
from include.sandbox.demo.shapes_departments import DEPARTMENT_SHAPES
from include.sandbox.demo.shapes_groceries import GROCERY_SHAPES
from include.sandbox.demo.text import DrawnText

SHAPES = GROCERY_SHAPES | DEPARTMENT_SHAPES
"""Every thing that can be photographed, by name."""

_BACKGROUNDS: tuple[Colour, ...] = (
    (246, 246, 244), (238, 236, 232), (214, 208, 198), (178, 150, 118), (120, 96, 74), (196, 204, 210), (90, 94, 100),
)  # fmt: skip
_UNTELLING_SHARE = 0.1
_NOISE_SIDE = 512


def draw_photo(product: DrawnText, chance: random.Random) -> bytes:
    """A JPEG of the product, 300 to 400 pixels on its long side; the same `chance` gives the same bytes."""
    height = chance.randint(310, 380)
    width = min(400, max(300, int(height * chance.choice([0.75, 0.8, 1.0, 1.0]))))
    pixels = _background(width, height, chance)
    if chance.random() < _UNTELLING_SHARE:
        image = _untelling(pixels, product, chance)
    else:
        image = _picture(pixels, product, chance)
    return _developed(image, chance)


def _background(width: int, height: int, chance: random.Random) -> Plane:
    """A wall or a studio, and a table below."""
    wall = np.asarray(chance.choice(_BACKGROUNDS), dtype=np.float32)
    down = np.linspace(1, chance.uniform(0.75, 1.0), height, dtype=np.float32)[:, None, None]
    across = np.linspace(chance.uniform(0.85, 1.0), 1, width, dtype=np.float32)[None, :, None]
    pixels = wall * down * across
    if chance.random() < 0.5:
        table = int(height * chance.uniform(0.72, 0.86))
        pixels[table:] = pixels[table:] * np.float32(chance.uniform(0.6, 0.9))
    return pixels


def _picture(pixels: Plane, product: DrawnText, chance: random.Random) -> Image.Image:
    height, width = pixels.shape[:2]
    centre = (width * chance.uniform(0.45, 0.55), height * chance.uniform(0.46, 0.54))
    canvas = Canvas(pixels, centre, height * chance.uniform(0.38, 0.48), chance.gauss(0, 4))
    colour = mixed(colour_of(product.colour), (chance.uniform(0, 255),) * 3, chance.uniform(0, 0.22))
    painter = SHAPES[product.shape]
    ground = pixels[min(height - 1, int(height * 0.9)), width // 2]
    shadow = mixed((float(ground[0]), float(ground[1]), float(ground[2])), BLACK, 0.45)
    canvas.disc(0.05, _bottom(painter, colour, chance), 0.62, shadow, 0.1)
    area = painter(canvas, colour, chance)
    image = _as_image(pixels)
    if area is not None:
        _print_label(image, canvas, area, product, colour, chance)
    return image


def _bottom(painter: Painter, colour: Colour, chance: random.Random) -> float:
    """Where the thing will be: painted once on a canvas without room, with chance as it is now."""
    state = chance.getstate()
    canvas = Canvas(np.zeros((1, 1, 3), dtype=np.float32), (-1_000.0, -1_000.0), 1.0, 0.0)
    painter(canvas, colour, chance)
    chance.setstate(state)
    return canvas.bottom - 0.03


def _print_label(
    image: Image.Image, canvas: Canvas, area: Area, product: DrawnText, colour: Colour, chance: random.Random
) -> None:
    u0, v0, u1, v1 = area
    width, height = int((u1 - u0) * canvas.scale), int((v1 - v0) * canvas.scale)
    paper = chance.choice([WHITE, (240, 232, 212), (244, 240, 230), mixed(colour, BLACK, 0.5), GOLD, (226, 190, 196)])
    ink = (30, 26, 26) if sum(paper) > 330 else (236, 226, 200)
    label = Image.new("RGB", (width, height), tuple(int(part) for part in paper))
    draw = ImageDraw.Draw(label)
    draw.rectangle((2, 2, width - 3, height - 3), outline=tuple(int(part) for part in mixed(paper, (120, 90, 40), 0.6)))
    size = max(9, min(22, height // 5))
    # The font that comes with Pillow has no accented letters.
    brand, name = (_without_accents(text) for text in (product.brand, product.name))
    lines = [brand.upper(), *textwrap.wrap(name, max(8, int(width / size * 1.9)))[:3], product.quantity]
    for number, line in enumerate(line for line in lines if line):
        font = _font(size + 2 if number == 0 else size)
        draw.text((width / 2, 6 + number * (size + 4)), line, fill=ink, font=font, anchor="ma")
    degrees = math.degrees(math.asin(canvas.to_pixels(1, 0)[1] / canvas.scale - canvas.centre[1] / canvas.scale))
    mask = Image.new("L", label.size, 235).rotate(-degrees, Image.Resampling.BILINEAR, expand=True)
    turned = label.rotate(-degrees, Image.Resampling.BICUBIC, expand=True)
    x, y = canvas.to_pixels((u0 + u1) / 2, (v0 + v1) / 2)
    image.paste(turned, (int(x - turned.width / 2), int(y - turned.height / 2)), mask)


def _untelling(pixels: Plane, product: DrawnText, chance: random.Random) -> Image.Image:
    """The back of a pack, a surface from too near, or a photo out of focus."""
    kind = chance.choice(["back", "surface", "blur"])
    if kind == "blur":
        return _picture(pixels, product, chance).filter(ImageFilter.GaussianBlur(chance.uniform(7, 12)))
    height, width = pixels.shape[:2]
    colour = mixed(colour_of(product.colour), WHITE, chance.uniform(0.1, 0.5))
    canvas = Canvas(pixels, (width / 2, height / 2), height * 0.48, chance.gauss(0, 5))
    canvas.box(-0.9, -0.95, 0.9, 0.95, colour, 0.02, 0.25)
    if kind == "surface":
        canvas.stripes(-0.9, -0.95, 0.9, 0.95, mixed(colour, BLACK, 0.2), chance.uniform(0.1, 0.5), chance.random())
        return _as_image(pixels)
    for row in range(9):
        canvas.box(-0.7, -0.75 + row * 0.1, chance.uniform(0.2, 0.7), -0.71 + row * 0.1, mixed(colour, BLACK, 0.7), 0.0)
    canvas.box(-0.5, 0.35, 0.5, 0.8, WHITE, 0.01)
    start = -0.44
    while start < 0.42:
        bar = chance.choice([0.012, 0.024, 0.036])
        canvas.box(start, 0.4, start + bar, 0.72, BLACK, 0.0)
        start += bar + chance.choice([0.014, 0.028])
    return _as_image(pixels)


def _developed(image: Image.Image, chance: random.Random) -> bytes:
    """Exposure, grain and compression of a telephone."""
    if chance.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(chance.uniform(0.5, 1.4)))
    pixels = np.asarray(image, dtype=np.float32)
    height, width = pixels.shape[:2]
    top, left = chance.randrange(_NOISE_SIDE - height), chance.randrange(_NOISE_SIDE - width)
    grain = _grain()[top : top + height, left : left + width] * np.float32(chance.uniform(1.5, 6))
    tint = np.asarray([chance.uniform(0.9, 1.08) for _ in range(3)], dtype=np.float32) * np.float32(
        chance.uniform(0.8, 1.1)
    )
    stream = io.BytesIO()
    _as_image(pixels * tint + grain).save(stream, "JPEG", quality=chance.randint(70, 90))
    return stream.getvalue()


def _without_accents(text: str) -> str:
    plain = text.replace("œ", "oe").replace("’", "'")
    return "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))


def _as_image(pixels: Plane) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@lru_cache(maxsize=1)
def _grain() -> Plane:
    return np.random.default_rng(7).standard_normal((_NOISE_SIDE, _NOISE_SIDE, 1), dtype=np.float32)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
