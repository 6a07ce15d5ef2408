"""The networks of `keras.applications` that can be chosen by name, with the preprocessing of each."""

from __future__ import annotations

from dataclasses import dataclass

from include.errors import ConfigurationError


@dataclass(frozen=True)
class KerasApplication:
    """One pretrained network without its classification layer."""

    name: str
    side: int
    """Height and width of its input, in pixels."""
    preprocessing: str
    megabytes: int
    """Size of the ImageNet weights to download, rounded."""
    preprocesses_itself: bool = False
    """Whether Keras would build the preprocessing in; it is left out, because it exports as extra inputs."""


_NETWORKS = (
    KerasApplication("MobileNetV3Small", 224, "tf", 4, preprocesses_itself=True),
    KerasApplication("MobileNetV3Large", 224, "tf", 12, preprocesses_itself=True),
    KerasApplication("MobileNet", 224, "tf", 17),
    KerasApplication("MobileNetV2", 224, "tf", 9),
    KerasApplication("EfficientNetV2B0", 224, "torch", 24, preprocesses_itself=True),
    KerasApplication("EfficientNetV2B1", 240, "torch", 28, preprocesses_itself=True),
    KerasApplication("EfficientNetV2B2", 260, "torch", 35, preprocesses_itself=True),
    KerasApplication("EfficientNetV2B3", 300, "torch", 52, preprocesses_itself=True),
    KerasApplication("DenseNet121", 224, "torch", 29),
    KerasApplication("VGG16", 224, "caffe", 59),
    KerasApplication("ResNet50", 224, "caffe", 95),
    KerasApplication("ResNet50V2", 224, "tf", 95),
)
KERAS_APPLICATIONS = {network.name: network for network in _NETWORKS}


def keras_application(name: str) -> KerasApplication:
    """The network of that name; ConfigurationError with the known names for any other."""
    if name not in KERAS_APPLICATIONS:
        known = ", ".join(KERAS_APPLICATIONS)
        raise ConfigurationError(
            f"keras-applications:{name} is not known. Use one of {known}, or save the network as a .keras file "
            "and name its path."
        )
    return KERAS_APPLICATIONS[name]
