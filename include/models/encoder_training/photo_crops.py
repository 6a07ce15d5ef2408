"""The photos that the encoder learns from, and the endless varied crops made of them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from include.errors import ConfigurationError

logger = logging.getLogger(__name__)

LONG_SIDE = 352
"""Photos are kept in memory at most this large, in pixels."""

_THUMBNAIL_SIDE = 16
_LOOKALIKE_DIFFERENCE = 6.0


def held_out(photo: bytes) -> bool:
    """Whether a photo file is of the fifth that no training of the encoder may see.

    Decided by the SHA-256 of the file, so that a photo used by several products is on one side, everywhere.
    """
    return int.from_bytes(hashlib.sha256(photo).digest()[:8], "big") % 5 == 0


def training_photos(paths: Sequence[Path]) -> list[np.ndarray]:
    """The photos that may be learned from, RGB uint8 (height, width, 3), long side at most `LONG_SIDE`.

    Left out are the held-out fifth, files that are no photos, and photos that look like a held-out one (the same
    picture saved again has another hash). Raises ConfigurationError if nothing is left.
    """
    seen: set[str] = set()
    kept: list[np.ndarray] = []
    kept_out: list[np.ndarray] = []
    for path in sorted(paths):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        photo = _decoded(path) if digest not in seen else None
        seen.add(digest)
        if photo is not None:
            (kept_out if held_out(content) else kept).append(photo)
    unlike = _without_lookalikes(kept, kept_out)
    logger.info(
        "%d photos to learn from; %d held out, %d left out for looking like one of those",
        len(unlike), len(kept_out), len(kept) - len(unlike),
    )  # fmt: skip
    if not unlike:
        raise ConfigurationError(f"None of the {len(paths)} files given is a photo that the encoder may learn from.")
    return unlike


class PhotoCrops:
    """Varied square crops of photos: the crops of a step are always the same."""

    def __init__(self, groups: Sequence[tuple[Sequence[np.ndarray], float]], seed: int) -> None:
        """`groups` are photos with the share of the crops that shall come from them; shares are made to sum to 1."""
        self._groups = [photos for photos, _ in groups if photos]
        shares = np.array([share for photos, share in groups if photos], dtype=float)
        self._shares = shares / shares.sum()
        self._seed = seed

    def batch(self, step: int, size: int, side: int) -> np.ndarray:
        """RGB uint8 (size, side, side, 3)."""
        random = np.random.default_rng([self._seed, step])
        return np.stack([self._picture(random, side) for _ in range(size)])

    def _picture(self, random: np.random.Generator, side: int) -> np.ndarray:
        kind = random.random()
        if kind < 0.08:  # four photos in one
            across, down = random.integers(side // 3, side - side // 3, size=2)
            picture = np.empty((side, side, 3), dtype=np.uint8)
            for rows in (slice(0, down), slice(down, side)):
                for columns in (slice(0, across), slice(across, side)):
                    shape = (rows.stop - rows.start, columns.stop - columns.start)
                    picture[rows, columns] = self._crop(random, shape)
            return picture
        picture = self._crop(random, (side, side))
        if kind < 0.20:  # one photo shining through another
            weight = random.uniform(0.2, 0.5)
            other = self._crop(random, (side, side))
            picture = (picture * (1 - weight) + other * weight).astype(np.uint8)
        return picture

    def _crop(self, random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        photos = self._groups[random.choice(len(self._groups), p=self._shares)]
        photo = photos[int(random.integers(len(photos)))]
        height, width = photo.shape[:2]
        area = random.uniform(0.75, 1.0) if random.random() < 0.35 else random.uniform(0.15, 1.0)
        proportion = np.exp(random.uniform(-0.35, 0.35))
        part = np.sqrt(area)
        crop_width, crop_height = min(1.0, part * proportion) * width, min(1.0, part / proportion) * height
        left, top = random.uniform(0, width - crop_width), random.uniform(0, height - crop_height)
        image = Image.fromarray(photo).resize(
            (shape[1], shape[0]), Image.Resampling.BILINEAR, box=(left, top, left + crop_width, top + crop_height)
        )
        picture = np.asarray(image)
        if random.random() < 0.5:
            picture = picture[:, ::-1]
        return _other_light(random, picture) if random.random() < 0.7 else picture


def _other_light(random: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Another contrast, brightness and colour balance of each channel, by a table of 256 values a channel."""
    levels = np.arange(256, dtype=np.float32)
    contrast, brightness = random.uniform(0.65, 1.35), random.uniform(-30, 30)
    changed = np.empty_like(picture)
    for channel, tint in enumerate(random.uniform(0.88, 1.12, size=3)):
        table = ((levels - 128) * contrast * tint + 128 + brightness).clip(0, 255).astype(np.uint8)
        changed[..., channel] = table[picture[..., channel]]
    return changed


def _decoded(path: Path) -> np.ndarray | None:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (LONG_SIDE, LONG_SIDE))
            small = image.convert("RGB")
            small.thumbnail((LONG_SIDE, LONG_SIDE))
            return np.asarray(small)
    except OSError:
        logger.warning("%s is not a photo that can be read: left out", path)
        return None


def _without_lookalikes(photos: list[np.ndarray], others: list[np.ndarray]) -> list[np.ndarray]:
    if not photos or not others:
        return photos
    known = np.stack([_thumbnail(photo) for photo in others])
    return [photo for photo in photos if np.abs(known - _thumbnail(photo)).mean(axis=1).min() > _LOOKALIKE_DIFFERENCE]


def _thumbnail(photo: np.ndarray) -> np.ndarray:
    small = Image.fromarray(photo).convert("L").resize((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).reshape(-1)
