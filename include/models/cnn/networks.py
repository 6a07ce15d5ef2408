"""The networks: a small one from scratch, and a given one with a new head.

All take RGB pixels as floats from 0 to 255 and do their own preprocessing, so that an export carries it. All have a
layer named `embedding` below the head, and return logits. Only Keras' own layers and operations: any backend runs them.
"""

from __future__ import annotations

import logging
import math
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError
from include.features.image.keras_applications import keras_application
from include.features.image.preprocessing import preprocessing_named
from include.models.cnn.recipes import SCRATCH, CnnRecipe

logger = logging.getLogger(__name__)

DOWNLOAD_TIMEOUT_SECONDS = 30
"""Silence after which the download of weights gives up."""

EMBEDDING = "embedding"


@dataclass(frozen=True, eq=False)
class Network:
    """A classifier and the part of it that was there before training."""

    model: Any
    """Keras model: pixels (photos, height, width, 3) → logits (photos, labels)."""
    base: Any
    """Keras model below the head; it is part of `model`."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input, in pixels."""
        height, width = self.model.input_shape[1:3]
        return int(height), int(width)

    def unfreeze(self, share: float) -> None:
        """Train the head and this share of the base's layers with weights, from the top; never batch normalisation.

        A share of 1 trains everything, normalisation included: for a base that knows nothing yet.
        """
        import keras

        layers = [layer for layer in self.base._flatten_layers(include_self=False) if layer.weights and _is_leaf(layer)]
        frozen = len(layers) - math.ceil(share * len(layers))
        self.base.trainable = share > 0
        for number, layer in enumerate(layers):
            normalises = isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = number >= frozen and (share == 1 or not normalises)


def _is_leaf(layer: Any) -> bool:
    return not list(layer._flatten_layers(include_self=False))


def build_network(recipe: CnnRecipe, labels: int) -> Network:
    """The recipe's network for so many labels, its weights drawn from Keras' global seed where they are not given.

    Raises ConfigurationError if the base is not known, its weights do not fit or cannot be downloaded, or a `.keras`
    file does not take photos.
    """
    import keras

    base = _base(recipe)
    height, width = base.input_shape[1:3]
    photos = keras.Input((height or recipe.side, width or recipe.side, 3), name="photo")
    # A trained base stays in inference mode: batches as small as ours would ruin what its normalisation has learnt.
    features = base(photos, training=False) if recipe.base_is_trained else base(photos)
    features = features[0] if isinstance(features, list | tuple) else features
    if len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D()(features)
    embedding = keras.layers.Activation("linear", name=EMBEDDING)(features)
    kept = keras.layers.Dropout(recipe.dropout, seed=recipe.seed)(embedding)
    logits = keras.layers.Dense(labels, name="logits")(kept)
    return Network(model=keras.Model(photos, logits, name=recipe.name.replace("-", "_")), base=base)


def _base(recipe: CnnRecipe) -> Any:
    if recipe.base == SCRATCH:
        return _from_scratch(recipe)
    if recipe.base.endswith(".keras"):
        return _saved(Path(recipe.base))
    return _application(recipe)


def _from_scratch(recipe: CnnRecipe) -> Any:
    """Two 3 × 3 convolutions a block, as in VGG, with batch normalisation; the first block is one that strides."""
    import keras
    from keras import layers

    photos = keras.Input((recipe.side, recipe.side, 3))
    values = layers.Rescaling(1 / 127.5, -1.0)(photos)
    for block, width in enumerate(recipe.widths):
        for _ in range(2 if block else 1):
            # What the full resolution costs would be most of all, and a photo of a product loses little by it.
            values = layers.Conv2D(width, 3, strides=1 if block else 2, padding="same", use_bias=False)(values)
            values = layers.BatchNormalization(momentum=0.9)(values)
            values = layers.Activation("relu")(values)
        values = layers.MaxPooling2D()(values)
    return keras.Model(photos, layers.GlobalAveragePooling2D()(values), name="base")


def _application(recipe: CnnRecipe) -> Any:
    """A network of `keras.applications` without its head, preprocessing built in where others leave it out."""
    import keras

    network = keras_application(recipe.base)
    if recipe.weights not in (None, "imagenet") and not Path(str(recipe.weights)).is_file():
        raise ConfigurationError(f"The weights {recipe.weights} for {recipe.base} are not there: name another file.")
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)
    options: dict[str, Any] = {"include_preprocessing": False} if network.preprocesses_itself else {}
    try:
        inner = getattr(keras.applications, network.name)(
            include_top=False,
            weights=recipe.weights,
            pooling="avg",
            input_shape=(recipe.side, recipe.side, 3),
            **options,
        )
    except Exception as error:  # a download, a file and a shape fail in as many ways
        advice = (
            f"Without access to the internet give the file of weights (about {network.megabytes} MB)."
            if recipe.weights == "imagenet"
            else "The file must hold weights of this network without its head (`…_no_top.h5`, `.weights.h5`)."
        )
        reason = " ".join(str(error).split())[:300]
        raise ConfigurationError(f"{recipe.base} cannot start from {recipe.weights} ({reason}). {advice}") from error
    finally:
        socket.setdefaulttimeout(None)
    return _with_preprocessing(inner, network.preprocessing)


def _saved(path: Path) -> Any:
    """A saved network; its head is dropped if it has one, that is if it ends in a softmax or in our `logits`."""
    import keras

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zipfile, h5py and Keras each have their own
        raise ConfigurationError(f"{path} is not a Keras model that can be trained on: {error}") from error
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] != 3:
        raise ConfigurationError(
            f"The network in {path} has the input {shape}; expected is one of the shape (None, height, width, 3)."
        )
    if EMBEDDING in {layer.name for layer in model.layers}:
        model = keras.Model(model.input, model.get_layer(EMBEDDING).output, name=model.name)
    rescales = any(type(layer).__name__ in {"Rescaling", "Normalization"} for layer in model._flatten_layers())
    return model if rescales else _with_preprocessing(model, "tf")


def _with_preprocessing(inner: Any, name: str) -> Any:
    """The network with its preprocessing in front: the same numbers as `include.features.image.preprocessing`."""
    import keras

    wanted = preprocessing_named(name)
    photos = keras.Input(inner.input_shape[1:])
    values = keras.layers.Rescaling(scale=list(wanted.scale), offset=list(wanted.offset))(photos)
    if wanted.reverse_channels:
        values = keras.ops.flip(values, axis=-1)
    return keras.Model(photos, inner(values), name="base")
