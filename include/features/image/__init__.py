"""Image encoders: from the bytes of a photo to a vector, whatever network or features do it.

| spec                            | what it is                                                             |
|---------------------------------|------------------------------------------------------------------------|
| `classical`                     | colour, texture and shape; no download                                 |
| `/models/net.onnx`              | an ONNX network, run by ONNX Runtime                                   |
| `/models/net.tflite`            | a TFLite network, run by LiteRT                                        |
| `/models/net.keras`             | a Keras model, exported to ONNX once                                   |
| `keras-applications:NAME`       | a network of Keras with its ImageNet weights, downloaded and exported once |

Options follow a question mark: `/models/net.onnx?preprocessing=torch`,
`keras-applications:MobileNetV3Small?weights=/models/v3_small_no_top.weights.h5`.
"""

from __future__ import annotations

from include.features.image.interface import ImageEncoder
from include.features.image.loading import load_image_encoder

__all__ = ["ImageEncoder", "load_image_encoder"]
