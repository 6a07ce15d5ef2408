"""Each kind of bad photo is what it claims to be."""

from __future__ import annotations

import io

import pytest
import requests
from PIL import Image, ImageChops, ImageOps, ImageStat

from include.sandbox.faults import Faults
from include.sandbox.photo_faults import BOMB_SIDE, pixel_bomb, rotated, serve_photo
from include.sandbox.server import SandboxServer

PATH = "/images/products/388/000/000/0173/front_fr.4.400.jpg"


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A JPEG, wider than high, darker at one end."""
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((60, 40)).rotate(180).convert("RGB").save(stream, "JPEG", quality=95)
    return stream.getvalue()


def served(photo: bytes | None, name: str) -> bytes | None:
    found = serve_photo(photo, PATH, Faults([f"{name}:one_in=1"]))
    return found[0] if found else None


def opened(content: bytes | None) -> Image.Image:
    assert content is not None
    return Image.open(io.BytesIO(content))


def test_a_flawless_photo_is_served_as_it_is(photo: bytes) -> None:
    assert serve_photo(photo, PATH, Faults()) == (photo, "image/jpeg")
    assert serve_photo(None, PATH, Faults()) is None


def test_a_missing_photo_is_none_and_html_is_html(photo: bytes) -> None:
    assert served(photo, "photo_missing") is None
    assert (served(photo, "photo_html") or b"").startswith(b"<!DOCTYPE html>")


def test_a_corrupt_photo_opens_but_does_not_load(photo: bytes) -> None:
    with pytest.raises(OSError, match=r"(?i)truncated"):
        opened(served(photo, "photo_corrupt")).load()


def test_the_bomb_is_small_and_has_94_megapixels() -> None:
    bomb = pixel_bomb()
    assert len(bomb) < 20_000
    with pytest.warns(Image.DecompressionBombWarning):
        size = opened(bomb).size
    assert size == (BOMB_SIDE, BOMB_SIDE)
    assert 94_000_000 < BOMB_SIDE**2 < 95_000_000


def test_a_rotated_photo_is_upright_after_its_orientation_is_applied(photo: bytes) -> None:
    lying = opened(rotated(photo))
    assert lying.size == (40, 60)
    upright = ImageOps.exif_transpose(lying)
    difference = ImageChops.difference(upright.convert("L"), opened(photo).convert("L"))
    assert upright.size == (60, 40)
    assert ImageStat.Stat(difference).mean[0] < 4


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [("photo_cmyk", "JPEG", "CMYK"), ("photo_palette", "PNG", "P"), ("photo_webp", "WEBP", "RGB")],
)
def test_unusual_photos_are_of_their_kind(photo: bytes, name: str, kind: str, mode: str) -> None:
    image = opened(served(photo, name))
    image.load()
    assert (image.format, image.mode) == (kind, mode)


def test_an_oversize_photo_is_longer_than_it_should_be(photo: bytes) -> None:
    found = serve_photo(photo, PATH, Faults(["photo_oversize:one_in=1,megabytes=2"]))
    assert found is not None
    assert len(found[0]) == len(photo) + 2 * 1024**2


def test_faults_of_photos_show_over_http(server: SandboxServer) -> None:
    product = requests.get(f"{server.url}/api/v2/product/3880000000173", timeout=10).json()["product"]
    server.faults.replace(["photo_webp:one_in=1"])
    answer = requests.get(product["image_front_url"], timeout=10)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[8:12] == b"WEBP"
