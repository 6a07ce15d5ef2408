"""Whatever the bytes are, a photo comes out upright, RGB and bounded, or a reason does."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from include.sources import photo_normalisation
from include.sources.photo_normalisation import MAX_SIDE, Photo, normalise_photo
from tests.faults.photo_faults import HEADERS

MAX_PIXELS = 50_000_000
PHOTO_REASONS = {"ok", "not_an_image", "too_many_pixels", "corrupt"}


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Left half red, right half blue, so that turning and colours can be seen."""
    image = Image.new("RGB", size, (220, 20, 30))
    image.paste((20, 30, 220), (size[0] // 2, 0, size[0], size[1]))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pixels(photo: Photo) -> Image.Image:
    assert photo.status == "ok"
    assert photo.content is not None
    assert photo.sha256 == hashlib.sha256(photo.content).hexdigest()
    image = Image.open(io.BytesIO(photo.content))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert image.size == (photo.width, photo.height)
    assert image.getexif().get(0x0112, 1) == 1
    image.load()
    return image


def is_near(colour: tuple[int, ...], expected: tuple[int, int, int], tolerance: int = 30) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(colour, expected, strict=True))


def test_a_plain_upright_jpeg_is_kept_byte_for_byte() -> None:
    content = encoded(picture(), "JPEG", quality=80)
    assert normalise_photo(content, MAX_PIXELS) == Photo("ok", hashlib.sha256(content).hexdigest(), 60, 40, content)


def test_every_real_catalogue_photo_is_kept_byte_for_byte(shared_data: Path) -> None:
    files = sorted((shared_data / "flipkart" / "images").glob("*.jpg"))
    assert len(files) == 840
    assert all(normalise_photo(file.read_bytes(), MAX_PIXELS).content == file.read_bytes() for file in files[::7])


def test_real_originals_are_reduced_and_the_94_megapixel_one_is_refused_undecoded(shared_data: Path) -> None:
    photos = {
        file.stem: normalise_photo(file.read_bytes(), MAX_PIXELS)
        for file in (shared_data / "flipkart" / "originals_sample").glob("*.jpg")
    }
    assert len(photos) == 46
    refused = {name: photo.status for name, photo in photos.items() if photo.status != "ok"}
    assert refused == {"5518124b75d6c6dfee4c2e4c0cfa716a": "too_many_pixels"}
    assert max(max(pixels(photo).size) for photo in photos.values() if photo.status == "ok") == MAX_SIDE


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("PNG", "P"),
        ("PNG", "RGBA"),
        ("PNG", "LA"),
        ("PNG", "1"),
        ("WEBP", "RGB"),
        ("GIF", "P"),
        ("BMP", "RGB"),
        ("TIFF", "CMYK"),
        ("TIFF", "RGB"),
    ],
)
def test_every_allowed_kind_becomes_an_rgb_jpeg_with_its_colours(kind: str, mode: str) -> None:
    image = pixels(normalise_photo(encoded(picture(mode), kind), MAX_PIXELS))
    assert image.size == (60, 40)
    if mode not in ("L", "LA", "1"):
        assert is_near(image.getpixel((10, 20)), (220, 20, 30))
        assert is_near(image.getpixel((50, 20)), (20, 30, 220))


def test_an_adobe_inverted_cmyk_jpeg_keeps_its_white() -> None:
    white = Image.new("CMYK", (32, 32), (0, 0, 0, 0))
    assert is_near(pixels(normalise_photo(encoded(white, "JPEG"), MAX_PIXELS)).getpixel((16, 16)), (255, 255, 255), 3)


def test_transparent_parts_become_white() -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    assert is_near(pixels(normalise_photo(encoded(image, "PNG"), MAX_PIXELS)).getpixel((10, 10)), (255, 255, 255), 3)
    palette = picture().quantize(4, dither=Image.Dither.NONE)
    content = encoded(palette, "PNG", transparency=palette.getpixel((10, 20)))
    assert is_near(pixels(normalise_photo(content, MAX_PIXELS)).getpixel((10, 20)), (255, 255, 255))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([[0, 65535], [32768, 65535]], dtype=np.uint16), "PNG"),
        (np.array([[0, 65535], [32768, 65535]], dtype=np.int32), "TIFF"),
        (np.array([[0.0, 1.0], [0.5, 1.0]], dtype=np.float32), "TIFF"),
    ],
)
def test_deep_greyscale_keeps_its_brightness(values: np.ndarray, kind: str) -> None:
    image = Image.fromarray(np.kron(values, np.ones((16, 16), dtype=values.dtype)))
    kept = pixels(normalise_photo(encoded(image, kind), MAX_PIXELS))
    assert [kept.getpixel(point)[0] // 32 for point in ((8, 8), (24, 8), (8, 24))] == [0, 7, 4]


@pytest.mark.parametrize(("orientation", "corner"), [(3, (50, 20)), (6, (20, 10)), (8, (20, 50)), (2, (50, 20))])
def test_exif_orientation_is_applied_and_then_gone(orientation: int, corner: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    kept = pixels(normalise_photo(encoded(picture(), "JPEG", exif=exif), MAX_PIXELS))
    assert kept.size == ((40, 60) if orientation in (6, 8) else (60, 40))
    assert is_near(kept.getpixel(corner), (220, 20, 30))


def test_a_large_photo_is_reduced_and_turned_with_its_proportions() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = pixels(normalise_photo(encoded(picture(size=(4000, 1000)), "JPEG", exif=exif), MAX_PIXELS))
    assert kept.size == (256, MAX_SIDE)


def test_an_extreme_aspect_keeps_at_least_one_pixel() -> None:
    assert pixels(normalise_photo(encoded(picture(size=(9000, 2)), "PNG"), MAX_PIXELS)).size == (MAX_SIDE, 1)


def test_an_animation_gives_its_first_frame() -> None:
    frames = [picture("P"), Image.new("P", (60, 40))]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert is_near(pixels(normalise_photo(content, MAX_PIXELS)).getpixel((10, 20)), (220, 20, 30))


def test_the_same_bytes_always_give_the_same_photo() -> None:
    content = encoded(picture("RGBA", (1500, 900)), "PNG")
    assert normalise_photo(content, MAX_PIXELS) == normalise_photo(content, MAX_PIXELS)


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(side: int) -> None:
    assert normalise_photo(png_claiming(side, side), MAX_PIXELS).status == "too_many_pixels"


def test_a_text_bomb_in_a_png_is_corrupt() -> None:
    text = zlib.compress(bytes(80_000_000))
    data = b"Comment\0\0" + text
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    content = encoded(picture(), "PNG")
    assert normalise_photo(content[:33] + chunk + content[33:], MAX_PIXELS).status == "corrupt"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_a_file_cut_short_is_corrupt(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    assert normalise_photo(content[: int(len(content) * share)], MAX_PIXELS).status == "corrupt"


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html></html>", b"%PDF-1.7", b"\0" * 100])
def test_what_is_no_image_is_called_that(content: bytes) -> None:
    assert normalise_photo(content, MAX_PIXELS).status == "not_an_image"


def test_formats_that_run_programs_or_are_not_photos_are_not_opened() -> None:
    assert normalise_photo(encoded(picture(), "PPM"), MAX_PIXELS).status == "not_an_image"
    assert normalise_photo(encoded(picture(), "EPS"), MAX_PIXELS).status == "not_an_image"


@given(
    st.sampled_from(["RGB", "L", "1", "P", "LA", "RGBA", "CMYK"]),
    st.sampled_from([1, 2, 1024, 1025, 1500, 2047, 2048, 4096, 5003]),
    st.sampled_from([1, 3, 700, 1024, 1025, 2049, 3001]),
    st.sampled_from([2_000, 300_000, photo_normalisation.BLOCK_PIXELS]),
)
@hypothesis_settings(max_examples=15, deadline=None)
def test_a_photo_that_is_converted_in_blocks_is_what_pillow_makes_of_the_whole(
    mode: str, width: int, height: int, block_pixels: int
) -> None:
    image = Image.radial_gradient("L").resize((width, height)).convert(mode)
    whole = Image.new("RGB", image.size, "white")
    whole.paste(image.convert("RGB"), mask=image.convert("RGBA").getchannel("A"))
    whole.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BICUBIC)
    with mock.patch.object(photo_normalisation, "BLOCK_PIXELS", block_pixels):
        assert photo_normalisation._reduced(image).tobytes() == whole.tobytes()


def test_a_deep_photo_that_is_converted_in_blocks_is_what_the_whole_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(700, 1300)).cumsum(axis=1)
    for deep in (values.astype(np.float32), (values * 1000).astype(np.int32), (values % 1).astype(np.float32)):
        content = encoded(Image.fromarray(deep), "TIFF")
        whole = normalise_photo(content, MAX_PIXELS)
        with monkeypatch.context() as patch:
            patch.setattr(photo_normalisation, "BLOCK_PIXELS", 10_000)
            assert normalise_photo(content, MAX_PIXELS) == whole


@pytest.mark.parametrize(
    "name",
    [
        "JPEG of 5 million empty segments",
        "JPEG of 20 million fill bytes",
        "PNG of 1.7 million private chunks",
        "PNG whose texts unpack to 62 MB",
        "TIFF with a tile of 900 megapixels",
    ],
)
def test_a_header_that_does_harm_has_its_status(name: str) -> None:
    make, status = HEADERS[name]
    assert normalise_photo(make(), MAX_PIXELS).status == status


def test_the_scans_of_a_jpeg_are_bounded_by_its_pixels() -> None:
    content = encoded(picture(size=(400, 300)), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    many = content[:-2] + last * 300 + b"\xff\xd9"
    assert normalise_photo(many, 10**6).status == "ok"
    assert normalise_photo(many, 400 * 300).status == "too_many_pixels"


def test_a_plain_jpeg_with_megabytes_of_padding_is_written_again() -> None:
    content = encoded(picture(), "JPEG")
    padded = content[:2] + (b"\xff\xe5\xff\xff" + bytes(65_533)) * 40 + content[2:]
    kept = normalise_photo(padded, MAX_PIXELS)
    assert pixels(kept).size == (60, 40)
    assert len(kept.content or b"") < 10_000


@given(st.binary(max_size=400))
def test_random_bytes_never_raise(content: bytes) -> None:
    assert normalise_photo(content, MAX_PIXELS).status in PHOTO_REASONS


SAMPLES = [
    encoded(picture("P" if kind == "GIF" else "RGB"), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
]


@given(
    st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=12)
)
def test_damaged_images_never_raise(content: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    photo = normalise_photo(bytes(damaged), 1_000_000)
    assert photo.status in PHOTO_REASONS
    assert (photo.content is None) == (photo.status != "ok")
