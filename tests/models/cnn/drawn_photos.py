"""Photos drawn by the tests, packed as the platform packs them, and the tiny network that learns from them."""

from __future__ import annotations

import hashlib
import io
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from include.models.cnn.labelled_photos import LabelledPhotos, label_photos
from include.models.cnn.recipes import AugmentationRecipe, CnnRecipe, Phase
from include.schema import IMAGES
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

COLOURS = {"champagne": (230, 210, 120), "vinegar": (120, 40, 30), "watches": (60, 70, 160)}
DAY = date(2026, 1, 5)


def drawn_photo(label: str, number: int) -> bytes:
    """A noisy JPEG in the colour of its label."""
    chance = np.random.default_rng((list(COLOURS).index(label), number))
    pixels = chance.normal(COLOURS[label], 40, (40, 32, 3)).clip(0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def pack(lake: Lake, source: str, contents: list[bytes | None], row_group_rows: int = 10, part: int = 0) -> list[str]:
    """Write a file of packed photos; returns their hashes. None is a product without a photo."""
    rows = [
        {
            "product_id": f"{source}:{part}-{number}",
            "status": "not_found" if content is None else "ok",
            "sha256": None if content is None else hashlib.sha256(content).hexdigest(),
            "bytes": content,
        }
        for number, content in enumerate(contents)
    ]
    table = pa.Table.from_pylist(rows, schema=IMAGES)
    lake.write_parquet(Batch(source, DAY).file(Layer.IMAGES, part), table, row_group_rows)
    return [str(row["sha256"]) for row in rows if row["sha256"]]


def draw_lake(lake: Lake, per_label: int) -> LabelledPhotos:
    """Photos of three labels, label after label, a product without a photo between them."""
    hashes: list[str] = []
    labels: list[str] = []
    for part, label in enumerate(COLOURS):
        drawn = [drawn_photo(label, number) for number in range(per_label)]
        hashes += pack(lake, "drawn", [drawn[0], None, *drawn[1:]], part=part)
        labels += [label] * per_label
    return label_photos(labels, hashes, [None] * len(labels), 5)


def save_own_network(path: Path) -> Path:
    """A tiny untrained network with batch normalisation, as a `.keras` file."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(6, 3, strides=2),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    network.save(path)
    return path


def own_network_recipe(path: Path, **changes: object) -> CnnRecipe:
    """Two epochs of the head, two of the upper half, with every kind of augmentation but the slow one."""
    options: dict[str, object] = {
        "name": "drawn",
        "base": str(path),
        "side": 24,
        "phases": (Phase("head", 2, 0.02, 0.0), Phase("fine-tuning", 2, 0.002, 0.5)),
        "batch_size": 8,
        "validation_share": 0.25,
        "augmentation": AugmentationRecipe(mix_up=0.2),
        "shuffle_buffer": 12,
    }
    return CnnRecipe(**{**options, **changes})  # type: ignore[arg-type]


def reading(settings: Settings) -> dict[str, Any]:
    """How photos are read and networks exported, as `fit_cnn` takes it."""
    return {
        "threads": settings.inference_threads,
        "max_pixels": settings.photo_max_pixels,
        "exports": settings.state_dir / "encoders",
    }
