"""Changes to a product after which a good model's answer is known.

The idea of invariance and directional tests is from Ribeiro et al., "Beyond Accuracy: Behavioral Testing of
NLP Models with CheckList", 2020.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from PIL import Image, ImageOps

from include.models.version.labelling import Item

BOILERPLATE = " Free delivery on your first order. All rights reserved. Terms and conditions apply."
JPEG_QUALITY = 60


def upper_case(item: Item) -> Item:
    """All text in capitals, as many shops write it."""
    return _with_text(item, str.upper)


def without_accents(item: Item) -> Item:
    """All text without accents, as old tills print it: `rosées` becomes `rosees`."""
    return _with_text(item, strip_accents)


def with_boilerplate(item: Item) -> Item:
    """A sentence about the shop, not the product, at the end of the longest text."""
    if item.description:
        return replace(item, description=item.description + BOILERPLATE)
    return replace(item, name=(item.name or "") + BOILERPLATE)


def with_brand(item: Item, brand: str) -> Item:
    """The same product by another maker: in the brand and wherever a text names the brand."""
    if not item.brand:
        return replace(item, brand=brand)
    old = item.brand
    return replace(_with_text(item, lambda text: text.replace(old, brand)), brand=brand)


def as_vinegar(item: Item) -> Item:
    """What is made into vinegar is no longer what it was: only the name is kept, with `Vinaigre de` before it."""
    return Item(name=f"Vinaigre de {item.name}", brand=item.brand)


def name_only(item: Item) -> Item:
    """Nothing but the name."""
    return Item(name=item.name)


def photo_only(item: Item) -> Item:
    """Nothing but the photo."""
    return Item(photo=item.photo)


def photo_flipped(item: Item) -> Item:
    """The photo in a mirror."""
    with Image.open(io.BytesIO(item.photo or b"")) as photo:
        return replace(item, photo=_jpeg(ImageOps.mirror(ImageOps.exif_transpose(photo)), quality=95))


def photo_recompressed(item: Item) -> Item:
    """The photo as a smaller file, saved again at a low quality."""
    with Image.open(io.BytesIO(item.photo or b"")) as photo:
        return replace(item, photo=_jpeg(ImageOps.exif_transpose(photo), quality=JPEG_QUALITY))


def strip_accents(text: str) -> str:
    """The text without combining marks, e.g. `crème brûlée` becomes `creme brulee`."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))


def _with_text(item: Item, change: Callable[[str], str]) -> Item:
    def changed(text: str | None) -> str | None:
        return change(text) if text else text

    return replace(
        item,
        name=changed(item.name),
        brand=changed(item.brand),
        description=changed(item.description),
        ingredients=changed(item.ingredients),
    )


def _jpeg(photo: Image.Image, *, quality: int) -> bytes:
    stream = io.BytesIO()
    photo.convert("RGB").save(stream, "JPEG", quality=quality)
    return stream.getvalue()
