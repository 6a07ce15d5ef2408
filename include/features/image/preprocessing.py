"""How networks want their pixels: each family was trained with its own scale, and any other spoils the vectors.

| name    | pixel values                                          | trained so                             |
|---------|-------------------------------------------------------|----------------------------------------|
| `raw`   | 0 to 255                                              | quantised, or rescaling inside         |
| `tf`    | -1 to 1                                               | MobileNet and ResNetV2 of Keras        |
| `torch` | 0 to 1, less the mean of ImageNet, over its deviation | torchvision, EfficientNetV2, DenseNet  |
| `caffe` | 0 to 255 as BGR, less the mean of ImageNet            | VGG and ResNet of Keras                |

The names and numbers are those of `keras.applications.imagenet_utils.preprocess_input`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.errors import ConfigurationError


@dataclass(frozen=True)
class Preprocessing:
    """value = pixel * scale + offset for each channel, in RGB; then BGR order if `reverse_channels`."""

    name: str
    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    reverse_channels: bool = False

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """float32 of the same shape from RGB pixels uint8 (photos, height, width, 3)."""
        scale, offset = np.array(self.scale, dtype=np.float32), np.array(self.offset, dtype=np.float32)
        values: np.ndarray
        if len(set(self.scale)) == len(set(self.offset)) == 1:
            values = np.multiply(pixels, scale[0], dtype=np.float32)
            values += offset[0]
        else:
            # Row by row: over the three channels of a pixel at a time NumPy takes ten times as long.
            photos, height, width, channels = pixels.shape
            rows = pixels.reshape(photos, height, width * channels)
            values = np.multiply(rows, np.tile(scale, width), dtype=np.float32)
            values += np.tile(offset, width)
            values = values.reshape(pixels.shape)
        return values[..., ::-1] if self.reverse_channels else values

    def apply_channels_first(self, pixels: np.ndarray) -> np.ndarray:
        """float32 (photos, 3, height, width) from RGB pixels uint8 (photos, height, width, 3)."""
        photos, height, width, _ = pixels.shape
        values = np.empty((photos, 3, height, width), dtype=np.float32)
        for channel, (scale, offset) in enumerate(zip(self.scale, self.offset, strict=True)):
            place = values[:, 2 - channel if self.reverse_channels else channel]
            np.multiply(pixels[..., channel], np.float32(scale), out=place, dtype=np.float32)
            place += np.float32(offset)
        return values


_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FAMILIES = (
    Preprocessing("raw", (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
    Preprocessing("tf", (1 / 127.5, 1 / 127.5, 1 / 127.5), (-1.0, -1.0, -1.0)),
    Preprocessing(
        "torch",
        (1 / 255 / _DEVIATION[0], 1 / 255 / _DEVIATION[1], 1 / 255 / _DEVIATION[2]),
        (-_MEAN[0] / _DEVIATION[0], -_MEAN[1] / _DEVIATION[1], -_MEAN[2] / _DEVIATION[2]),
    ),
    Preprocessing("caffe", (1.0, 1.0, 1.0), (-123.68, -116.779, -103.939), reverse_channels=True),
)
PREPROCESSINGS = {family.name: family for family in _FAMILIES}


def preprocessing_named(name: str) -> Preprocessing:
    """The preprocessing of a family; ConfigurationError with the known names for any other."""
    if name not in PREPROCESSINGS:
        raise ConfigurationError(f"There is no preprocessing '{name}': use one of {', '.join(PREPROCESSINGS)}.")
    return PREPROCESSINGS[name]
