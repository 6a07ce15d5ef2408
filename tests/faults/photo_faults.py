"""Photos and their servers that do harm: small files that become gigabytes, headers without end, hosts that hang.

The photos are made here, a few kilobytes each, and go through `normalise_photo` or through a whole shard with the real
encoder.
"""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from include.pipeline.source_access import photo_limits
from include.security.decoding_memory import MemoryBudget
from include.settings import Settings
from include.sources import photos
from include.sources.photo_normalisation import normalise_photo
from tests.faults.fault import Fault
from tests.faults.logged import logged
from tests.fixtures.photo_server import running_photo_server

SIDES = (7_071, 7_070)
"""The largest photo that is allowed: 49,991,970 pixels."""
FILE_BYTES = 20 * 1024**2 - 4_096
"""The largest file that is downloaded."""
PATH = "images/source=faults/day=2026-01-05/part-00000.parquet"


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """An image as a file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(colour: int, sample_bits: int, row_bytes: int, *, extra: bytes = b"", sides: tuple[int, int] = SIDES) -> bytes:
    """A black PNG of a colour type; `extra` are chunks that come before the pixels."""
    packing = zlib.compressobj(9)
    row = bytes(1 + row_bytes)
    pixels = b"".join(packing.compress(row) for _ in range(sides[1])) + packing.flush()
    header = struct.pack(">IIBBBBB", *sides, sample_bits, colour, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def large(mode: str, kind: str, **options: object) -> bytes:
    """A photo of the largest allowed size, all of one colour."""
    return saved(Image.new(mode, SIDES), kind, **options)


def turned() -> Image.Exif:
    """EXIF of a photo that lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


LARGE: dict[str, Callable[[], bytes]] = {
    "16-bit grey PNG": lambda: png(0, 16, 2 * SIDES[0]),
    "16-bit RGBA PNG": lambda: png(6, 16, 8 * SIDES[0]),
    "RGBA PNG on its side": lambda: large("RGBA", "PNG", exif=turned()),
    "LA PNG": lambda: large("LA", "PNG"),
    "palette PNG with transparency": lambda: large("P", "PNG", transparency=0),
    "1-bit PNG": lambda: large("1", "PNG"),
    "32-bit TIFF": lambda: large("I", "TIFF", compression="tiff_deflate"),
    "float TIFF": lambda: large("F", "TIFF", compression="tiff_deflate"),
    "CMYK TIFF": lambda: large("CMYK", "TIFF", compression="tiff_deflate"),
    "RGBA TIFF of one strip": lambda: large("RGBA", "TIFF", compression="tiff_deflate", strip_size=2**30),
    "RGBA WEBP": lambda: large("RGBA", "WEBP", lossless=True, method=0),
    "GIF": lambda: large("P", "GIF"),
    "progressive CMYK JPEG": lambda: large("CMYK", "JPEG", progressive=True, subsampling=0),
}


def tiff_with_a_huge_tile() -> bytes:
    """16 x 16 pixels in a tile of 30,000 x 30,000."""
    pixels = zlib.compress(bytes(10_000_000))
    start = 8 + 2 + 12 * 10 + 4
    tags = [
        (256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1), (322, 30_000), (323, 30_000), (324, start),
        (325, len(pixels)),
    ]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + directory + bytes(4) + pixels


def jpeg_of_many_scans(scans: int) -> bytes:
    """A progressive JPEG of 8,000 x 6,000 whose last scan of some bytes comes again and again."""
    content = saved(Image.new("RGB", (8_000, 6_000), "crimson"), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * scans + b"\xff\xd9"


def jpeg_with(piece: bytes) -> bytes:
    """A small JPEG with a piece of header as often as the file has room."""
    content = saved(Image.new("RGB", (60, 40), "crimson"), "JPEG")
    return content[:2] + piece * (FILE_BYTES // len(piece)) + content[2:]


def png_with(chunk: bytes, times: int | None = None) -> bytes:
    """A small PNG with a chunk before its pixels, as often as the file has room unless told."""
    return png(0, 8, 60, sides=(60, 40), extra=chunk * (times or FILE_BYTES // len(chunk)))


def bomb(size: int) -> bytes:
    """Zeros, packed."""
    return zlib.compress(bytes(size), 9)


HEADERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "JPEG of 5 million empty segments": (lambda: jpeg_with(b"\xff\xe5\0\2"), "corrupt"),
    "JPEG of 5 million empty comments": (lambda: jpeg_with(b"\xff\xfe\0\2"), "corrupt"),
    "JPEG of 20 million fill bytes": (lambda: jpeg_with(b"\xff"), "corrupt"),
    "JPEG padded to 20 MB": (lambda: jpeg_with(b"\xff\xe5\xff\xff" + bytes(65_533)), "ok"),
    "JPEG of 100,000 scans": (lambda: jpeg_of_many_scans(100_000), "too_many_pixels"),
    "PNG of 1.7 million private chunks": (lambda: png_with(png_chunk(b"prVt", b"")), "corrupt"),
    "PNG of 1.7 million empty pieces": (lambda: png_with(png_chunk(b"IDAT", b"")), "corrupt"),
    "PNG whose texts unpack to 62 MB": (
        lambda: png_with(png_chunk(b"zTXt", b"k\0\0" + bomb(2**20 - 9)), 62),
        "corrupt",
    ),
    "PNG whose profile unpacks to 80 MB": (
        lambda: png_with(png_chunk(b"iCCP", b"k\0\0" + bomb(80_000_000)), 1),
        "corrupt",
    ),
    "TIFF with a tile of 900 megapixels": (tiff_with_a_huge_tile, "too_many_pixels"),
}


def inject_photo(make: Callable[[], bytes], expected: str) -> str:
    """One photo, which must come to its status and be small if it is kept."""
    photo = normalise_photo(make(), Settings().photo_max_pixels, MemoryBudget(Settings().photo_memory_bytes))
    assert photo.status == expected, photo.status
    assert len(photo.content or b"") < 2**21
    return photo.status


def run_shard(urls: Sequence[str], folder: Path | None, settings: Settings) -> Counter[str]:
    """The photos of a shard through fetching, packing and embedding; the statuses."""
    from include.pipeline.daily.embed import pack_and_embed_photos
    from include.pipeline.encoders import configured_image_encoder
    from include.storage.lake import Lake

    lake = Lake(settings.lake_root)
    products = pa.table({"product_id": [f"faults:{number}" for number in range(len(urls))], "image_url": urls})
    encoder = configured_image_encoder(settings.image_encoder, settings)
    pack_and_embed_photos(
        lake, PATH, products, encoder, settings, allow_private_hosts=True, photo_folder=folder
    )  # fmt: skip
    return Counter(lake.read_parquet(PATH)["status"].to_pylist())


def inject_shard_of_large_photos(kinds: Sequence[str], copies: int) -> str:
    """Photos of the largest allowed size, more than there are threads, in one shard."""
    with tempfile.TemporaryDirectory(prefix="cuvee-faults-") as home:
        folder = Path(home) / "images"
        folder.mkdir()
        for kind in kinds:
            content = LARGE[kind]()
            for copy in range(copies):
                (folder / f"{kind} {copy}").write_bytes(content)
        names = sorted(path.name for path in folder.iterdir())
        statuses = run_shard(names, folder, Settings(state_dir=Path(home)))
    assert statuses == {"ok": len(names)}, statuses
    return f"{len(names)} kept"


def inject_large_plain_photos() -> str:
    """300 JPEGs that could be kept as they are, but for 20 MB of padding each: no row group of gigabytes."""
    with tempfile.TemporaryDirectory(prefix="cuvee-faults-") as home:
        folder = Path(home) / "images"
        folder.mkdir()
        noise = np.random.default_rng(0).integers(0, 256, (1_000, 1_000, 3), dtype=np.uint8)
        content = saved(Image.fromarray(noise), "JPEG", quality=95, subsampling=0)
        padding = b"\xff\xe5\xff\xff" + bytes(65_533)
        (folder / "padded.jpg").write_bytes(content[:2] + padding * 280 + content[2:])
        names = [f"{number}.jpg" for number in range(300)]
        for name in names:
            (folder / name).symlink_to("padded.jpg")
        statuses = run_shard(names, folder, Settings(state_dir=Path(home)))
    assert statuses == {"ok": len(names)}, statuses
    return f"{len(names)} kept"


def inject_hanging_photos(count: int, every: int, deadline_seconds: float) -> str:
    """A shard of which every so manieth photo hangs."""
    with (
        tempfile.TemporaryDirectory(prefix="cuvee-faults-") as home,
        running_photo_server() as server,
        logged("include.sources.given_up_hosts") as log,
    ):
        urls = [f"{server.url}/{'' if (number + 1) % every else 'hang/'}{number}.jpg" for number in range(count)]
        settings = Settings(
            state_dir=Path(home), photo_deadline_seconds=deadline_seconds, http_timeout_seconds=deadline_seconds
        )
        statuses = run_shard(urls, None, settings)
        asked = len(server.asked)
    if every == 1:
        assert set(statuses) == {"timeout", "unreachable"}, statuses
        assert asked < 10 * settings.photo_threads, asked
        assert log.getvalue().count("given up") == 1, log.getvalue()
    else:
        assert statuses == {"ok": count - count // every, "timeout": count // every}, statuses
        assert not log.getvalue(), log.getvalue()
    return f"{asked} requests, {dict(statuses)}"


def inject_absent_host() -> str:
    """Photos of a host where nobody listens."""
    with tempfile.TemporaryDirectory(prefix="cuvee-faults-") as home:
        settings = Settings(state_dir=Path(home), http_backoff_seconds=0.01, photo_deadline_seconds=2)
        urls = [f"http://127.0.0.1:1/{number}.jpg" for number in range(50)]
        found = photos.fetch_photos(urls, photo_limits(settings), allow_private_hosts=True)
    assert {photo.status for photo in found} == {"unreachable"}
    return "unreachable"


_QUICK_HEADERS = {"JPEG padded to 20 MB", "TIFF with a tile of 900 megapixels", "PNG whose texts unpack to 62 MB"}

FAULTS: list[Fault] = [
    *(
        Fault(f"photo: {name}", partial(inject_photo, make, status), limit_mib=600, is_quick=name in _QUICK_HEADERS)
        for name, (make, status) in HEADERS.items()
    ),
    *(
        Fault(
            f"photo: 50 megapixels, {name}",
            partial(inject_photo, make, "ok"),
            limit_seconds=60,
            limit_mib=1_000,
            is_quick=name == "16-bit grey PNG",
        )
        for name, make in LARGE.items()
    ),
    Fault(
        "shard: sixteen 16-bit PNGs of 50 megapixels",
        partial(inject_shard_of_large_photos, ["16-bit grey PNG"], 16),
        limit_seconds=120,
        limit_mib=1_300,
        is_quick=False,
    ),
    Fault(
        "shard: photos of 50 megapixels of every kind, two of each",
        partial(inject_shard_of_large_photos, list(LARGE), 2),
        limit_seconds=240,
        limit_mib=1_300,
        is_quick=False,
    ),
    Fault("shard: 300 JPEGs padded to 20 MB", inject_large_plain_photos, 240, limit_mib=1_300, is_quick=False),
    Fault("shard: one photo in a hundred hangs", partial(inject_hanging_photos, 400, 100, 1.0), 30),
    Fault("shard: the host hangs", partial(inject_hanging_photos, 2_000, 1, 0.5), 30),
    Fault("photos: nobody listens", inject_absent_host, 30),
]
