"""Pictures and a teacher that the tests make themselves."""

from __future__ import annotations

import io

import keras
import numpy as np
from PIL import Image

from include.models.encoder_training.teacher import StageMaps

WIDTHS = (32, 24)
"""Channels of the drawn teacher's two stages."""


def picture(seed: int, side: int = 48) -> np.ndarray:
    """Rectangles of random colours, uint8 (side, side, 3)."""
    random = np.random.default_rng(seed)
    pixels = np.full((side, side, 3), random.integers(120, 256, size=3), dtype=np.uint8)
    for _ in range(6):
        top, left = random.integers(0, side - 8, size=2)
        height, width = random.integers(6, side // 2, size=2)
        pixels[top : top + height, left : left + width] = random.integers(0, 256, size=3)
    return pixels


def file_of(pixels: np.ndarray, kind: str = "PNG", **options: int) -> bytes:
    """The picture as a file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


class DrawnTeacher:
    """Two stages of average colours mixed at random, at 1/4 and 1/8 of the photo's side, stored as uint8."""

    widths = WIDTHS

    def __init__(self) -> None:
        keras.utils.set_random_seed(3)
        pixels = keras.Input((None, None, 3))
        first = self._stage(pixels, WIDTHS[0], 4)
        self._network = keras.Model(pixels, [first, self._stage(first, WIDTHS[1], 2)])

    def maps(self, pixels: np.ndarray) -> StageMaps:
        """What it sees."""
        outputs = self._network(pixels.astype(np.float32) / 127.5 - 1, training=False)
        scale = 6 / 255
        stored = [np.round(keras.ops.convert_to_numpy(one) / scale).astype(np.uint8) for one in outputs]
        return StageMaps(stored, [scale, scale])

    def _stage(self, maps: keras.KerasTensor, width: int, size: int) -> keras.KerasTensor:
        colours = keras.initializers.RandomNormal(stddev=2.0, seed=width)
        averages = keras.layers.AveragePooling2D(size)(maps)
        return keras.layers.Conv2D(width, 1, activation="relu6", kernel_initializer=colours)(averages)
