"""The compact network: five stages, each of which can learn alone what a stage of the teacher does.

Depthwise-separable layers (Howard et al., MobileNets, 2017) with residuals; fewer layers and plain strided
convolutions where they run faster than the teacher's. A stage gives its values *before* the last ReLU6, so that
a place which should be active, but is not, still gets a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers

CEILING = 6.0
"""Upper end of ReLU6, the activation between stages."""

STAGE_WIDTHS = (128, 256, 512, 512, 1024)
MIDDLE_BLOCKS = 3

Tensor = Any
"""Maps on their way through the network: Keras has one type for them in each backend."""


def build_stages(widths: Sequence[int] = STAGE_WIDTHS, middle_blocks: int = MIDDLE_BLOCKS) -> list[keras.Model]:
    """Five models: maps in (photos, height, width, channels), values before ReLU6 out.

    The first takes pixels from -1 to 1. Heights and widths are 1/4, 1/8, 1/16, 1/16 and 1/32 of the photo's.
    """
    first, second, third, fourth, fifth = widths
    return [
        _stage("stage_1", 3, lambda x: _separable(_stem(x, first), first, last=True)),
        _stage("stage_2", first, lambda x: _separable(_separable(x, second, stride=2), second, last=True)),
        _stage("stage_3", second, lambda x: _separable(x, third, stride=2, last=True)),
        _stage("stage_4", third, lambda x: _middle(x, fourth, middle_blocks)),
        _stage("stage_5", fourth, lambda x: _separable(_separable(x, fifth, stride=2), fifth, last=True)),
    ]


def active(values: Tensor) -> Tensor:
    """ReLU6 of a stage's values: what the next stage takes."""
    return layers.ReLU(max_value=CEILING)(values)


def join(stages: Sequence[keras.Model], side: int | None = None) -> keras.Model:
    """From pixels uint8 (photos, side, side, 3) to [values of each stage …, embedding]."""
    pixels = keras.Input((side, side, 3), dtype="uint8", name="photo")
    maps = layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    outputs = []
    for stage in stages:
        outputs.append(stage(maps))
        maps = active(outputs[-1])
    embedding = layers.GlobalAveragePooling2D(name="embedding")(maps)
    return keras.Model(pixels, [*outputs, embedding], name="student")


def _stage(name: str, channels: int, build: Callable[[Tensor], Tensor]) -> keras.Model:
    maps = keras.Input((None, None, channels))
    return keras.Model(maps, build(maps), name=name)


def _stem(maps: Tensor, width: int) -> Tensor:
    maps = _convolution(maps, max(width // 4, 4), size=3, stride=2)
    maps = _convolution(maps, max(width * 3 // 8, 4), size=3, stride=2)
    return _convolution(maps, width)


def _middle(maps: Tensor, width: int, blocks: int) -> Tensor:
    for block in range(blocks - 1):
        maps = layers.Add()([maps, _separable(maps, width, size=5 if block == 0 else 3)])
    return _separable(maps, width, size=3, last=True)


def _separable(maps: Tensor, width: int, stride: int = 1, size: int = 3, last: bool = False) -> Tensor:
    maps = layers.DepthwiseConv2D(size, stride, padding="same", depthwise_initializer="he_normal")(maps)
    return _convolution(layers.ReLU(max_value=CEILING)(maps), width, last=last)


def _convolution(maps: Tensor, width: int, size: int = 1, stride: int = 1, last: bool = False) -> Tensor:
    maps = layers.Conv2D(width, size, stride, padding="same", use_bias=False, kernel_initializer="he_normal")(maps)
    maps = layers.BatchNormalization(momentum=0.98)(maps)
    return maps if last else layers.ReLU(max_value=CEILING)(maps)
