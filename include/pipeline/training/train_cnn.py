"""Train a convolutional network on the photos of all products with a trusted label; it becomes a photo encoder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from include.pipeline.text_features import documents_of
from include.pipeline.training.training_data import snapshot_of_today
from include.schema import text_hash
from include.settings import Settings
from include.storage.lake import Lake

if TYPE_CHECKING:
    from include.models.cnn.fitting import EpochRow, FittedCnn
    from include.models.cnn.labelled_photos import LabelledPhotos

logger = logging.getLogger(__name__)

NEARLY_SAME_UP_TO = 20_000
"""Products up to which nearly identical texts are looked for, each with each; beyond, only identical ones count."""


def train_cnn(
    settings: Settings,
    recipe: str = "scratch-small",
    *,
    weights: str | None = None,
    epochs: int | None = None,
    on_epoch: Callable[[EpochRow], None] | None = None,
) -> FittedCnn:
    """Train the network of a recipe on all trusted labels of today, but for the gold set; see `train_cnn_on`."""
    rows = snapshot_of_today(settings).training
    return train_cnn_on(rows, settings, recipe, weights=weights, epochs=epochs, on_epoch=on_epoch)


def train_cnn_on(
    rows: pa.Table,
    settings: Settings,
    recipe: str,
    *,
    weights: str | None = None,
    epochs: int | None = None,
    on_epoch: Callable[[EpochRow], None] | None = None,
) -> FittedCnn:
    """Train the network of a recipe on rows of a snapshot, and keep it under `<state_dir>/cnn/RECIPE-FINGERPRINT/`.

    `recipe` is a name of `include.models.cnn.recipes.RECIPES` or the path of a `.keras` file to start from. `weights`
    are the path of a file for a network of `keras.applications`, `imagenet` to download them, or `none` to start
    without. `epochs` limits each phase. `on_epoch` is called after every epoch. A training of the same photos and
    recipe that was killed goes on; one that is done is returned as it is. Raises ConfigurationError if there are too
    few photos, or the recipe, its base or its weights are not usable.
    """
    from include.models.cnn.fitting import fingerprint_of, fit_cnn
    from include.models.cnn.recipes import recipe_named

    chosen = replace(recipe_named(recipe), seed=settings.seed)
    if weights is not None:
        chosen = replace(chosen, weights=None if weights == "none" else weights)
    if epochs is not None:
        chosen = chosen.shortened(epochs)
    photos = labelled_photos(rows, settings)
    folder = settings.state_dir / "cnn" / f"{chosen.name}-{fingerprint_of(photos, chosen)[:16]}"
    return fit_cnn(
        photos,
        chosen,
        folder,
        Lake(settings.lake_root),
        threads=settings.inference_threads,
        max_pixels=settings.photo_max_pixels,
        exports=settings.state_dir / "encoders",
        on_epoch=on_epoch,
    )


def labelled_photos(rows: pa.Table, settings: Settings) -> LabelledPhotos:
    """The photos of rows of a snapshot; nearly the same text puts two in one content group."""
    from include.models.cnn.labelled_photos import label_photos

    return label_photos(
        labels=rows["label"].to_pylist(),
        photo_hashes=rows["photo_sha256"].to_pylist(),
        text_keys=_text_keys(documents_of(rows)),
        examples_needed=settings.min_label_examples,
    )


def _text_keys(documents: list[str]) -> list[str | None]:
    from include.models.evaluation.near_identical import near_identical_keys

    if len(documents) <= NEARLY_SAME_UP_TO:
        return near_identical_keys(documents)
    return [text_hash(text) if text else None for text in documents]
