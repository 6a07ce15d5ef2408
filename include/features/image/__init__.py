"""Image encoders: from the bytes of a photo to a vector, whatever network or features do it.

| spec                            | what it is                                                             |
|---------------------------------|------------------------------------------------------------------------|
| `classical`                     | colour, texture and shape; no download                                 |
| `bundled`                       | the small network that ships with the project; no download             |
| `/models/net.onnx`              | an ONNX network, run by ONNX Runtime                                   |
| `/models/net.tflite`            | a TFLite network, run by LiteRT                                        |
| `/models/net.keras`             | a Keras model, exported to ONNX once                                   |
| `keras-applications:NAME`       | a network of Keras with its ImageNet weights, downloaded and exported once |
| `sift-bag-of-words:/models/words` | visual words that `fit_bag_of_words` found: the control that others must beat |
| `bundled+classical`             | several of them: their vectors side by side                            |

Options follow a question mark: `/models/net.onnx?preprocessing=torch`,
`keras-applications:MobileNetV3Small?weights=/models/v3_small_no_top.weights.h5`. A network takes

| option                   | what it does                                                        | cost per photo     |
|--------------------------|---------------------------------------------------------------------|--------------------|
| `preprocessing=torch`    | scale of the pixels: `raw`, `tf`, `torch` or `caffe`                | none               |
| `side=320`               | runs it on larger photos, where it takes any size                   | (side / its own)²  |
| `layers=3`               | how its last feature maps vary over the photo, beside its vector    | a twentieth        |
| `views=whole,mirrored`   | the mean over several looks at the photo, see `views.py`            | one run for each   |

and each part of several joined by `+` takes `weight=0.5`, its length beside the others' (1 unless given). A plus
joins where an encoder's name, `/`, `~/`, `./` or `../` follows it.
"""

from __future__ import annotations

from include.features.image.interface import ImageEncoder
from include.features.image.loading import load_image_encoder

__all__ = ["ImageEncoder", "load_image_encoder"]
