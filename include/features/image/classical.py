"""Image features without a network: colour, shape and texture of the photo's subject.

For photos of products on plain ground: what stands out from the border's colour is cut out first, so that the
features describe the product and not how large it was photographed.

- colour: histogram of hue, saturation and value; mean, deviation and histogram of CIE Lab on a grid
- shape: histograms of oriented gradients (Dalal and Triggs, 2005); proportions; where the ground is covered
- texture: uniform local binary patterns of two sizes (Ojala et al., 2002); strength of gradients on a grid

Histograms enter by their square roots, which makes distances between them Hellinger's. Each part is divided by its
usual length, so that none drowns another, and the two most informative, gradients and patterns, have more weight.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image
from skimage.color import rgb2lab
from skimage.feature import hog, local_binary_pattern

from include.features.image.views import subject_box

_VERSION = "1"
"""Raise it when the same photo would give another vector."""

_SIDE = 128
USUAL_LENGTH = {
    "lab": 4.0,
    "gradient directions": 14.1,
    "proportions": 1.4,
    "covered ground": 6.2,
    "gradient strength": 2.1,
}
"""Root mean square length of the parts that are not histograms, on 840 product photos."""

_HUES, _SATURATIONS, _VALUES = 12, 4, 4
_LAB_BINS = 4


class ClassicalModel:
    """A `PixelModel` computed by scikit-image; nothing is learned and nothing is loaded."""

    identity = f"classical-{_VERSION}"
    input_size = (192, 192)
    keeps_proportions = True
    batch_size = 4

    def __init__(self) -> None:
        self.dimensions = len(_features(np.zeros((*self.input_size, 3), dtype=np.uint8)))

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Vectors float32 (photos, dimensions) of RGB pixels uint8 (photos, 192, 192, 3)."""
        return np.stack([_features(photo) for photo in pixels])


def _features(photo: np.ndarray) -> np.ndarray:
    subject = _subject(photo)
    square = subject.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    gray = np.asarray(square.convert("L"))
    parts = (*_colour(square), *_shape(gray, subject.width / subject.height), *_texture(gray))
    return np.concatenate(parts).astype(np.float32)


def _subject(photo: np.ndarray) -> Image.Image:
    """What stands out from plain ground; the whole photo where there is no plain ground."""
    return Image.fromarray(photo).crop(subject_box(photo))


def _colour(square: Image.Image) -> Iterator[np.ndarray]:
    hue, saturation, value = np.moveaxis(np.asarray(square.convert("HSV")).astype(np.int32), 2, 0)
    bins = (hue * _HUES // 256 * _SATURATIONS + saturation * _SATURATIONS // 256) * _VALUES + value * _VALUES // 256
    yield _histogram(bins, _HUES * _SATURATIONS * _VALUES)

    lab = rgb2lab(np.asarray(square.resize((_SIDE // 2, _SIDE // 2), Image.Resampling.BOX)))
    means = np.array([cell.mean(axis=(0, 1)) for cell in _grid(lab, 4)]) / (100, 60, 60)
    deviations = np.array([cell.std(axis=(0, 1)) for cell in _grid(lab, 4)]) / (50, 30, 30)
    yield np.concatenate([means.ravel(), deviations.ravel()]) / USUAL_LENGTH["lab"]
    places = np.clip(((lab + np.array([0, 50, 50])) / 25).astype(np.int32), 0, _LAB_BINS - 1)
    codes = places @ np.array([_LAB_BINS**2, _LAB_BINS, 1])
    yield np.concatenate([_histogram(cell, _LAB_BINS**3) for cell in _grid(codes, 2)]) / 2


def _shape(gray: np.ndarray, proportions: float) -> Iterator[np.ndarray]:
    directions = hog(gray, orientations=9, pixels_per_cell=(16, 16), cells_per_block=(2, 2))
    yield 2 * np.sqrt(directions) / USUAL_LENGTH["gradient directions"]
    light = [(gray > 242).mean(), (gray > 252).mean()]
    yield np.array([proportions, np.log(proportions), *light]) / USUAL_LENGTH["proportions"]
    yield np.array([(cell < 243).mean() for cell in _grid(gray, 8)]) / USUAL_LENGTH["covered ground"]


def _texture(gray: np.ndarray) -> Iterator[np.ndarray]:
    patterns: list[np.ndarray] = []
    for points, radius, cells in ((8, 1, 3), (16, 3, 2)):
        codes = local_binary_pattern(gray, points, radius, "uniform").astype(np.int32)
        patterns.extend(_histogram(cell, points + 2) for cell in _grid(codes, cells))
    yield 1.5 * np.concatenate(patterns) / np.sqrt(len(patterns))
    rows, columns = np.gradient(gray.astype(np.float32) / 255)
    strength = np.hypot(rows, columns)
    edges = [(5 * cell.mean(), 5 * cell.std(), (cell > 0.05).mean()) for cell in _grid(strength, 4)]
    yield np.array(edges).ravel() / USUAL_LENGTH["gradient strength"]


def _grid(values: np.ndarray, cells: int) -> list[np.ndarray]:
    """The values cut into cells × cells squares, row by row; what is left at the right and below falls away."""
    side = values.shape[0] // cells
    return [
        values[row * side : (row + 1) * side, column * side : (column + 1) * side]
        for row in range(cells)
        for column in range(cells)
    ]


def _histogram(codes: np.ndarray, bins: int) -> np.ndarray:
    """Square roots of the shares of codes 0 to bins - 1: a vector of length 1."""
    shares: np.ndarray = np.sqrt(np.bincount(codes.ravel(), minlength=bins) / codes.size)
    return shares
