"""Decoding of photos."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from include.features.image import decode
from include.features.image.decode import decode_photo
from include.security.decoding_memory import MemoryBudget
from include.settings import PROJECT_ROOT
from tests.features.image.networks import jpeg, quarters

LIMIT = 50_000_000
RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """Colours near the corners, row by row, each channel rounded to 0 or 255."""
    height, width, _ = pixels.shape
    places = [(y, x) for y in (height // 8, -height // 8) for x in (width // 8, -width // 8)]
    return [tuple((pixels[place] > 127).astype(int) * 255) for place in places]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(32, 32), (48, 20), (128, 128)])
def test_a_photo_is_squeezed_to_the_size_asked(kind: str, size: tuple[int, int]) -> None:
    pixels = decode_photo(quarters(kind=kind), size, LIMIT)
    assert pixels is not None
    assert pixels.shape == (*size, 3)
    assert pixels.dtype == np.uint8
    assert corners(pixels) == [RED, GREEN, BLUE, BLACK]


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, BLACK]),
        (3, [BLACK, BLUE, GREEN, RED]),
        (6, [BLUE, RED, BLACK, GREEN]),
        (8, [GREEN, BLACK, RED, BLUE]),
    ],
)
def test_photos_are_turned_upright(orientation: int, expected: list[tuple[int, ...]]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode_photo(quarters(kind="JPEG", exif=exif), (40, 24), LIMIT)
    assert pixels is not None
    assert pixels.shape == (40, 24, 3)
    assert corners(pixels) == expected


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "1"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    pixels = decode_photo(quarters(mode, kind), (16, 16), LIMIT)
    assert pixels is not None
    assert pixels.shape == (16, 16, 3)


def test_transparent_parts_become_white() -> None:
    stream = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(stream, "PNG")
    pixels = decode_photo(stream.getvalue(), (8, 8), LIMIT)
    assert pixels is not None
    assert pixels.min() == 255


def test_proportions_are_kept_on_white_ground_when_asked() -> None:
    pixels = decode_photo(jpeg(400, 100), (64, 64), LIMIT, keep_proportions=True)
    assert pixels is not None
    assert pixels.shape == (64, 64, 3)
    assert (pixels[:20] == 255).all()
    assert (pixels[-20:] == 255).all()
    assert pixels[32, 2, 2] < 100


def test_scaled_decoding_shows_the_same_photo_as_full_decoding(shared_data: Path) -> None:
    for path in sorted((shared_data / "flipkart" / "originals_sample").glob("*.jpg"))[:6]:
        scaled = decode_photo(path.read_bytes(), (224, 224), LIMIT)
        assert scaled is not None
        with Image.open(path) as photo:
            full = np.asarray(photo.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
        assert np.abs(scaled.astype(int) - full).mean() < 4


def test_photos_over_the_limit_of_pixels_are_not_decoded(shared_data: Path) -> None:
    assert decode_photo(jpeg(100, 100), (32, 32), 9_999) is None
    huge = max((shared_data / "flipkart" / "originals_sample").glob("*.jpg"), key=lambda path: path.stat().st_size)
    assert decode_photo(huge.read_bytes(), (32, 32), 1_000_000) is None


@given(st.binary(max_size=300), st.integers(0, 600))
def test_damaged_bytes_give_none_or_pixels_but_never_raise(noise: bytes, position: int) -> None:
    assert decode_photo(noise, (8, 8), LIMIT) is None
    whole = quarters(kind="JPEG")
    damaged = whole[:position] + noise + whole[position + len(noise) :]
    pixels = decode_photo(damaged, (8, 8), LIMIT)
    assert pixels is None or pixels.shape == (8, 8, 3)


def test_a_truncated_photo_is_none() -> None:
    whole = quarters(kind="JPEG", side=256)
    assert decode_photo(whole[: len(whole) // 2], (8, 8), LIMIT) is None
    assert decode_photo(b"<html>not found</html>", (8, 8), LIMIT) is None
    assert decode_photo(b"", (8, 8), LIMIT) is None


def noise(mode: str, kind: str, width: int, height: int, **options: object) -> bytes:
    """A photo in which no two places are alike."""
    channels = np.random.default_rng(width).integers(0, 256, (height, width, 4), dtype=np.uint8)
    photo = Image.fromarray(channels)
    if mode == "I;16":
        photo = Image.fromarray(channels[..., 0].astype(np.uint16) * 257)
    elif mode != "RGBA":
        photo = photo.convert("RGB" if mode in ("CMYK", "YCbCr", "F", "I", "1") else "RGBA").convert(mode)
    stream = io.BytesIO()
    photo.save(stream, kind, **options)
    return stream.getvalue()


def decoded_plainly(content: bytes, size: tuple[int, int]) -> np.ndarray:
    """What `decode_photo` gives, by one step after the other, each over all pixels."""
    with Image.open(io.BytesIO(content)) as photo:
        photo.draft("RGB", size[::-1])
        opaque: Image.Image = photo
        if photo.mode not in {"RGB", "L", "CMYK"} and photo.has_transparency_data:
            layered = photo.convert("RGBA")
            opaque = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
        squeezed = opaque.convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(squeezed)


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGB", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {}),
        ("L", "JPEG", {}),
        ("RGB", "PNG", {"transparency": (255, 255, 255)}),
        ("RGBA", "PNG", {}),
        ("LA", "PNG", {}),
        ("P", "PNG", {}),
        ("P", "PNG", {"transparency": 3}),
        ("P", "PNG", {"transparency": bytes(range(256))}),
        ("1", "PNG", {}),
        ("I;16", "PNG", {}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("CMYK", "TIFF", {}),
        ("YCbCr", "TIFF", {}),
        ("I", "TIFF", {}),
        ("F", "TIFF", {}),
    ],
)
def test_block_by_block_gives_the_pixels_that_all_at_once_gives(
    mode: str, kind: str, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for width, height in ((300, 211), (611, 40), (24, 24), (5, 300)):
        content = noise(mode, kind, width, height, **options)
        for block_side in (512, 50):
            monkeypatch.setattr(decode, "_BLOCK_SIDE", block_side)
            for size in ((24, 24), (31, 17)):
                pixels = decode_photo(content, size, LIMIT)
                np.testing.assert_array_equal(pixels, decoded_plainly(content, size))


def test_what_cannot_be_decoded_gives_its_share_of_memory_back() -> None:
    whole = quarters(side=256)
    assert decode_photo(whole[: len(whole) // 2], (8, 8), 256**2) is None
    assert decode._memory._taken == 0


@pytest.mark.parametrize(
    ("kind", "options", "least"),
    [
        ("PNG", {}, 4),
        ("JPEG", {"progressive": True}, 6),
        ("WEBP", {}, 20),
        ("TIFF", {}, 12),
        ("GIF", {}, 4),
        ("BMP", {}, 4),
    ],
)
def test_photos_are_decoded_only_while_they_have_their_share_of_memory(
    kind: str, options: dict[str, bool], least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_while_loading = []
    load_prepare = ImageFile.ImageFile.load_prepare

    def noted(photo: ImageFile.ImageFile) -> None:
        held_while_loading.append(decode._memory._taken)
        load_prepare(photo)

    monkeypatch.setattr(ImageFile.ImageFile, "load_prepare", noted)
    assert decode_photo(quarters(kind=kind, side=64, **options), (8, 8), 64**2) is not None
    assert held_while_loading
    assert min(held_while_loading) >= least * 64**2
    assert decode._memory._taken == 0


def test_a_photo_waits_until_there_is_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_memory", MemoryBudget(1_000))
    with ThreadPoolExecutor(1) as pool:
        with decode._memory.share(1):
            decoding = pool.submit(decode_photo, quarters(), (8, 8), 64**2)
            with pytest.raises(TimeoutError):
                decoding.result(timeout=0.1)
        assert decoding.result(timeout=5) is not None


_PEAK = """
import json, resource, sys
from pathlib import Path
from include.features.image.decode import decode_photo
decode_photo(Path(sys.argv[1]).read_bytes(), (96, 96), 10**7)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
shapes = [decode_photo(Path(path).read_bytes(), (96, 96), 10**7).shape for path in sys.argv[2:]]
print(json.dumps([shapes, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is in other units elsewhere")
def test_a_large_photo_of_any_kind_takes_little_more_memory_than_its_own_pixels(tmp_path: Path) -> None:
    side = 2_000
    fills = [("RGBA", "PNG", (9, 9, 9, 90)), ("LA", "PNG", (9, 90)), ("CMYK", "TIFF", (9,) * 4), ("F", "TIFF", 9.0)]
    (tmp_path / "small").write_bytes(quarters("RGBA"))
    for number, (mode, kind, fill) in enumerate(fills):
        Image.new(mode, (side, side), fill).save(tmp_path / str(number), kind, compress_level=1)
    paths = [str(tmp_path / name) for name in ("small", *map(str, range(len(fills))))]
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *paths], capture_output=True, text=True, cwd=PROJECT_ROOT, check=True
    )
    shapes, growth = json.loads(done.stdout)
    assert shapes == [[96, 96, 3]] * len(fills)
    # Four bytes a pixel are the photo itself; a copy of it in another mode would be four more, the file is one.
    assert growth < 8 * side**2
