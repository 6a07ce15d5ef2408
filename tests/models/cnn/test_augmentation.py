"""Augmentation: drawn from seed, epoch and batch; labels follow the photos."""

from __future__ import annotations

import numpy as np
import pytest

from include.models.cnn.augmentation import Augmentation
from include.models.cnn.recipes import AugmentationRecipe

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 20, 16, 3), dtype=np.uint8)
LABELS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
NOTHING = AugmentationRecipe(flip=False, rotation=0, zoom=0, contrast=0)
RECIPES = {
    "flip": AugmentationRecipe(rotation=0, zoom=0, contrast=0),
    "rotation": AugmentationRecipe(flip=False, zoom=0, contrast=0),
    "zoom": AugmentationRecipe(flip=False, rotation=0, contrast=0),
    "contrast": AugmentationRecipe(flip=False, rotation=0, zoom=0),
    "RandAugment": AugmentationRecipe(
        flip=False, rotation=0, zoom=0, contrast=0, rand_augment_operations=2, rand_augment_strength=0.5
    ),
    "MixUp": AugmentationRecipe(flip=False, rotation=0, zoom=0, contrast=0, mix_up=0.4),
}


@pytest.mark.filterwarnings("ignore:Tensor.T is deprecated on 0-D tensors")  # in Keras' RandAugment, with PyTorch
@pytest.mark.parametrize("name", RECIPES)
def test_each_step_changes_photos_the_same_way_for_the_same_batch(name: str) -> None:
    augmentation = Augmentation(RECIPES[name], seed=1)
    first, labels = augmentation(PIXELS, LABELS, epoch=2, batch=3)
    assert (first.dtype, first.shape) == (np.float32, PIXELS.shape)
    assert first.min() >= 0
    assert first.max() <= 255
    others = [augmentation(PIXELS, LABELS, epoch=2, batch=number)[0] for number in (4, 5)]
    assert any(np.abs(other - first).max() > 1 for other in others)
    again, same_labels = Augmentation(RECIPES[name], seed=1)(PIXELS, LABELS, epoch=2, batch=3)
    np.testing.assert_allclose(again, first, atol=1e-3)
    np.testing.assert_allclose(same_labels, labels, atol=1e-6)


def test_a_flip_shows_each_photo_as_it_is_or_mirrored() -> None:
    photos, _ = Augmentation(RECIPES["flip"], seed=0)(PIXELS, LABELS, epoch=0, batch=0)
    for photo, original in zip(photos, PIXELS, strict=True):
        assert (photo == original).all() or (photo == original[:, ::-1]).all()


def test_mix_up_mixes_labels_as_it_mixes_photos() -> None:
    flat = np.zeros((6, 4, 4, 3), dtype=np.uint8)
    flat[:] = np.array([0, 100, 200, 0, 100, 200])[:, None, None, None]
    photos, labels = Augmentation(RECIPES["MixUp"], seed=0)(flat, LABELS, epoch=0, batch=0)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(photos.mean(axis=(1, 2, 3)), labels @ [0, 100, 200], atol=0.1)
    assert ((labels > 0.01) & (labels < 0.99)).any()


def test_a_recipe_of_nothing_changes_nothing() -> None:
    photos, labels = Augmentation(NOTHING, seed=0)(PIXELS, LABELS, epoch=0, batch=0)
    np.testing.assert_array_equal(photos, PIXELS)
    np.testing.assert_array_equal(labels, LABELS)
