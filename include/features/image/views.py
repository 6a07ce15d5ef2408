"""Several looks at one photo: what the whole squeezed photo hides, the subject cut out of its ground may show.

| view       | what the network sees                                                                  |
|------------|----------------------------------------------------------------------------------------|
| `whole`    | the whole photo squeezed to the network's input, as networks are used to                |
| `mirrored` | the same, left and right exchanged                                                     |
| `subject`  | what stands out from plain ground, cut out and squeezed                                |
| `framed`   | the same with its proportions kept, in the middle of a white ground                    |

Each view costs one run of the network; the photo is decoded once.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from include.errors import ConfigurationError

WHOLE = ("whole",)
VIEWS = ("whole", "mirrored", "subject", "framed")

_VERSION = "v1"
"""Raise it when a view would show other pixels."""

_GROUND_TOLERANCE = 20
"""Difference from the border's colour, of 255 in any channel, up to which a pixel is ground."""
_PLAIN_SHARE = 0.6
"""Share of border pixels in one colour from which a photo counts as one on plain ground."""
_SUBJECT_SHARE = 0.01
"""Share of a row or column that must stand out for it to belong to the subject: less is dust."""
_MARGIN = 0.04
"""White left around a framed subject, as a share of the side."""


def views_named(names: str) -> tuple[str, ...]:
    """The views of a comma-separated list; ConfigurationError with the known names for any other."""
    views = tuple(name.strip() for name in names.split(","))
    unknown = sorted(set(views) - set(VIEWS))
    if unknown or len(set(views)) != len(views):
        raise ConfigurationError(f"Views '{names}' are not understood: use some of {', '.join(VIEWS)}, each once.")
    return views


def views_identity(views: tuple[str, ...]) -> str:
    """The views' part of an encoder's identity: nothing for `whole` alone, else e.g. `-v1-subject-whole`."""
    return "" if views == WHOLE else f"-{_VERSION}-{'-'.join(sorted(views))}"


def look_at(photo: np.ndarray, views: tuple[str, ...], size: tuple[int, int]) -> np.ndarray:
    """RGB pixels uint8 (views, height, width, 3) of one photo, RGB uint8 of any size; `size` is (height, width)."""
    whole = Image.fromarray(photo)
    subject = whole.crop(subject_box(photo)) if {"subject", "framed"} & set(views) else whole
    return np.stack([np.asarray(_view(name, whole, subject, size)) for name in views])


def subject_box(photo: np.ndarray) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what stands out from plain ground; the whole photo where there is no such ground.

    `photo` is RGB uint8 (height, width, 3).
    """
    height, width = photo.shape[:2]
    border = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]]).astype(np.int16)
    ground = np.median(border, axis=0).astype(np.int16)
    if (np.abs(border - ground).max(axis=1) < _GROUND_TOLERANCE).mean() <= _PLAIN_SHARE:
        return 0, 0, width, height
    covered = np.abs(photo - ground).max(axis=2) > _GROUND_TOLERANCE
    rows = np.flatnonzero(covered.mean(axis=1) > _SUBJECT_SHARE)
    columns = np.flatnonzero(covered.mean(axis=0) > _SUBJECT_SHARE)
    if not len(rows) or not len(columns):
        return 0, 0, width, height
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _view(name: str, whole: Image.Image, subject: Image.Image, size: tuple[int, int]) -> Image.Image:
    shape = size[::-1]  # Pillow's order
    if name == "whole":
        return whole.resize(shape, Image.Resampling.BILINEAR)
    if name == "mirrored":
        return ImageOps.mirror(whole.resize(shape, Image.Resampling.BILINEAR))
    if name == "subject":
        return subject.resize(shape, Image.Resampling.BILINEAR)
    room = (round(shape[0] * (1 - 2 * _MARGIN)), round(shape[1] * (1 - 2 * _MARGIN)))
    framed = ImageOps.contain(subject, room, Image.Resampling.BILINEAR)
    ground = Image.new("RGB", shape, "white")
    ground.paste(framed, ((shape[0] - framed.width) // 2, (shape[1] - framed.height) // 2))
    return ground
