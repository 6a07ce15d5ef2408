from __future__ import annotations

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from include.models.behaviour import perturbations
from include.models.version.labelling import Item


def jpeg() -> bytes:
    pixels = np.zeros((8, 16, 3), dtype=np.uint8)
    pixels[:, :8] = 255
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def test_accents_go_and_letters_stay() -> None:
    assert perturbations.strip_accents("Crème brûlée à l’œuf, Müsli ñ") == "Creme brulee a l’œuf, Musli n"


@given(st.text())
def test_text_without_accents_has_none_left(text: str) -> None:
    once = perturbations.strip_accents(text)
    assert perturbations.strip_accents(once) == once


def test_a_new_brand_stands_wherever_the_old_one_stood() -> None:
    item = Item(name="Ruinart Brut", brand="Ruinart", description="A champagne by Ruinart")
    assert perturbations.with_brand(item, "Krug") == Item(
        name="Krug Brut", brand="Krug", description="A champagne by Krug"
    )
    assert perturbations.with_brand(Item(name="Brut"), "Krug") == Item(name="Brut", brand="Krug")


def test_boilerplate_is_put_at_the_end_of_the_description_or_else_of_the_name() -> None:
    described = perturbations.with_boilerplate(Item(name="A", description="B"))
    assert described.name == "A"
    assert str(described.description).startswith("B Free")
    assert str(perturbations.with_boilerplate(Item(name="A")).name).startswith("A Free")


def test_vinegar_keeps_the_name_and_loses_what_the_wine_was_made_of() -> None:
    item = Item(name="Champagne Brut", description="sparkling wine", ingredients="chardonnay", photo=b"x")
    assert perturbations.as_vinegar(item) == Item(name="Vinaigre de Champagne Brut")


def test_a_flipped_photo_is_the_mirror_of_itself_and_the_rest_stays() -> None:
    flipped = perturbations.photo_flipped(Item(name="A", photo=jpeg()))
    assert flipped.name == "A"
    with Image.open(io.BytesIO(flipped.photo or b"")) as photo:
        pixels = np.asarray(photo.convert("L"))
    assert pixels[:, 10:].mean() > 200
    assert pixels[:, :6].mean() < 50


def test_a_recompressed_photo_is_the_same_picture_in_other_bytes() -> None:
    again = perturbations.photo_recompressed(Item(photo=jpeg())).photo or b""
    assert again != jpeg()
    with Image.open(io.BytesIO(again)) as photo:
        assert photo.size == (16, 8)


def test_only_the_named_part_is_left() -> None:
    item = Item(name="A", brand="B", description="C", ingredients="D", photo=b"E")
    assert perturbations.name_only(item) == Item(name="A")
    assert perturbations.photo_only(item) == Item(photo=b"E")
