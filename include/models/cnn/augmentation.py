"""What happens to a training photo before the network sees it, by Keras' own layers.

It runs in the data pipeline and on training photos only. What is drawn depends on the seed, the epoch and the batch
alone, so that a training that goes on after a kill draws what it would have drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from include.models.cnn.recipes import AugmentationRecipe


class Augmentation:
    """Random changes of a batch of photos and, by MixUp, of their labels."""

    def __init__(self, recipe: AugmentationRecipe, seed: int) -> None:
        self._seed = seed
        self._layers = _layers(recipe)
        self._mix_up = _mix_up(recipe)

    def __call__(
        self, pixels: np.ndarray, targets: np.ndarray, epoch: int, batch: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """float32 photos and labels of the same shapes.

        `pixels` are RGB uint8 (photos, height, width, 3), `targets` float32 (photos, labels), a 1 in each row.
        """
        import keras

        layers = [*self._layers, *([self._mix_up] if self._mix_up else [])]
        for layer, drawn in zip(layers, self._seeds(len(layers), epoch, batch), strict=True):
            layer.generator.state.assign(keras.ops.convert_to_tensor(drawn, dtype=layer.generator.state.dtype))
        photos = keras.ops.convert_to_tensor(pixels, dtype="float32")
        for layer in self._layers:
            photos = layer(photos, training=True)
        if self._mix_up:
            mixed = self._mix_up({"images": photos, "labels": keras.ops.convert_to_tensor(targets)}, training=True)
            photos, targets = mixed["images"], keras.ops.convert_to_numpy(mixed["labels"])
        return np.asarray(keras.ops.convert_to_numpy(keras.ops.clip(photos, 0, 255))), targets

    def _seeds(self, count: int, epoch: int, batch: int) -> np.ndarray:
        # 31 bits: not every backend has unsigned integers.
        return np.random.default_rng((self._seed, epoch, batch)).integers(0, 2**31, (count, 2))


def _layers(recipe: AugmentationRecipe) -> list[Any]:
    from keras import layers

    chosen: list[Any] = []
    if recipe.flip:
        chosen.append(layers.RandomFlip("horizontal", seed=0))
    if recipe.rotation:
        chosen.append(layers.RandomRotation(recipe.rotation, fill_mode="nearest", seed=0))
    if recipe.zoom:
        chosen.append(layers.RandomZoom(recipe.zoom, fill_mode="nearest", seed=0))
    if recipe.contrast:
        chosen.append(layers.RandomContrast(recipe.contrast, value_range=(0, 255), seed=0))
    if recipe.rand_augment_operations:
        options = {"num_ops": recipe.rand_augment_operations, "factor": recipe.rand_augment_strength}
        chosen.append(layers.RandAugment(value_range=(0, 255), seed=0, **options))
    return chosen


def _mix_up(recipe: AugmentationRecipe) -> Any | None:
    from keras import layers

    return layers.MixUp(alpha=recipe.mix_up, seed=0) if recipe.mix_up else None
