"""Opening photos that anybody may have made."""

from __future__ import annotations

import io
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from include.security.photo_file import RefusedPhotoError, has_several_scans, open_photo
from tests.features.image.networks import jpeg, quarters

PIXELS = 64 * 64
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_FIRST_OF_THREE = _SCAN + bytes((0, 8, 1, 1, 0, 0, 63, 0))


def refusal(content: bytes, max_pixels: int = PIXELS) -> tuple[str, str]:
    """The status and the reason of a photo that is refused."""
    with pytest.raises(RefusedPhotoError) as caught:
        open_photo(content, max_pixels)
    return caught.value.status, str(caught.value)


def opened(content: bytes, max_pixels: int = PIXELS) -> tuple[int, int]:
    return open_photo(content, max_pixels).size


def with_scans(content: bytes, scans: int) -> bytes:
    """A JPEG whose last scan comes again and again."""
    last = content[content.rindex(_SCAN) : -len(_END)]
    return content[: -len(_END)] + last * scans + _END


def with_one_component_in_the_first_scan(content: bytes) -> bytes:
    start = content.index(_SCAN)
    return content[:start] + _FIRST_OF_THREE + content[start + 14 :]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_photos_of_all_usual_formats_are_opened(kind: str) -> None:
    assert opened(quarters(kind=kind)) == (64, 64)


@pytest.mark.parametrize("kind", ["EPS", "PCX", "ICO"])
def test_other_formats_are_no_photos(kind: str) -> None:
    with pytest.raises(UnidentifiedImageError):
        opened(quarters(kind=kind))


def test_photos_over_the_limit_of_pixels_are_refused() -> None:
    status, reason = refusal(quarters(), PIXELS - 1)
    assert status == "too_many_pixels"
    assert "width=64 height=64" in reason


def test_photos_over_pillows_own_limit_have_too_many_pixels_too() -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    content = quarters(kind="PNG")
    assert refusal(content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:], 10**9)[0] == (
        "too_many_pixels"
    )


def test_a_tile_larger_than_the_limit_is_refused() -> None:
    content = quarters(kind="TIFF", tiffinfo={65_000: 70_000, 65_001: 70_000})
    for unknown, tag in ((65_000, 322), (65_001, 323)):  # width and length of a tile, which Pillow does not write
        content = content.replace(struct.pack("<HHI", unknown, 4, 1), struct.pack("<HHI", tag, 4, 1))
    status, reason = refusal(content, 70_000**2 - 1)
    assert status == "too_many_pixels"
    assert "more than" in reason


def test_usual_progressive_photos_are_opened() -> None:
    assert opened(quarters(kind="JPEG", progressive=True)) == (64, 64)
    assert opened(with_scans(quarters(kind="JPEG", progressive=True), 30)) == (64, 64)


@pytest.mark.parametrize(
    "photo",
    [quarters(kind="JPEG", progressive=True), with_one_component_in_the_first_scan(quarters(kind="JPEG"))],
    ids=["progressive", "sequential"],
)
def test_a_photo_that_goes_through_its_pixels_too_often_is_refused(photo: bytes) -> None:
    content = with_scans(photo, 1_000)
    status, reason = refusal(content)
    assert status == "too_many_pixels"
    assert re.search(r"goes through its pixels 10\d\d times", reason)


def test_scans_are_not_counted_where_the_first_one_has_all_since_reading_ends_there() -> None:
    assert opened(with_scans(jpeg(64, 64), 1_000)) == (64, 64)


def test_a_file_in_too_many_pieces_is_refused() -> None:
    photo = jpeg(64, 64)
    status, reason = refusal(photo[:2] + b"\xff\xfe\x00\x02" * 70_000 + photo[2:])
    assert (status, reason) == ("corrupt", "it is in too many pieces")
    assert opened(photo[:2] + b"\xff\xfe\x00\x02" * 100 + photo[2:]) == (64, 64)


def test_the_pieces_of_a_large_photo_are_not_counted_as_those_of_its_header() -> None:
    side = 2_000
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "TIFF", strip_size=1, compression="packbits")
    content = stream.getvalue()
    photo = open_photo(content, side**2)
    assert np.array_equal(np.asarray(photo), noise)


def test_a_jpeg_has_several_scans_unless_its_first_one_has_all_components() -> None:
    one = quarters(kind="JPEG")
    several = [quarters(kind="JPEG", progressive=True), with_one_component_in_the_first_scan(one)]
    assert [has_several_scans(open_photo(content, PIXELS)) for content in (one, *several)] == [False, True, True]
    for mode, components in (("L", 1), ("CMYK", 4)):
        photo = open_photo(quarters(mode, "JPEG"), PIXELS)
        assert len(photo.getbands()) == components
        assert not has_several_scans(photo)
    assert not has_several_scans(open_photo(quarters(kind="PNG"), PIXELS))


def test_a_photo_keeps_what_its_header_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = open_photo(quarters(kind="JPEG", exif=exif), PIXELS)
    assert photo.getexif()[0x0112] == 6
    assert photo.getpixel((0, 0)) == Image.open(io.BytesIO(quarters(kind="JPEG"))).getpixel((0, 0))
