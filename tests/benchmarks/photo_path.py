"""`photo_path`: from the bytes of a photo to its embedding, against the way of the notebooks.

The network is MobileNetV3Small at 224 pixels with random weights: its speed is that of the trained one. The
notebooks' way is Keras `load_img` and `predict`, one photo after the other. `photo_path_share` is how close the
path comes to what its two halves allow: with every core on one half at a time, a photo would take the sum
of both times.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from include.features.image import load_image_encoder
from include.features.image.decode import decode_photo
from include.features.image.onnx_model import OnnxModel
from include.settings import Settings
from tests.benchmarks.measure import Figure, paired_seconds, summarise
from tests.conftest import find_shared_data

PAIRS = 7
NOTEBOOK_PHOTOS = 48
"""Photos of one run of the slow way: a part of each folder, as large a part of either."""
BATCH = 8


def photo_paths(data: Path) -> list[Path]:
    """The 46 originals and as many photos again that were already made smaller, in turns."""
    originals = sorted((data / "flipkart" / "originals_sample").glob("*.jpg"))
    smaller = sorted((data / "flipkart" / "images").glob("*.jpg"))[: 4 * len(originals)]
    per_original = len(smaller) // len(originals)
    return [
        path
        for number, original in enumerate(originals)
        for path in (original, *smaller[number * per_original : (number + 1) * per_original])
    ]


def notebook_way(network: Any, paths: Sequence[Path]) -> None:
    """Keras alone, one photo at a time."""
    import keras

    for path in paths:
        image = keras.utils.load_img(path, target_size=(224, 224))
        pixels = np.expand_dims(keras.utils.img_to_array(image), 0)
        network.predict(pixels / 127.5 - 1, verbose=0)


def decode_only(photos: Sequence[bytes], threads: int, max_pixels: int) -> None:
    """All cores decode, and nothing else."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda photo: decode_photo(photo, (224, 224), max_pixels), photos):
            pass


def infer_only(model: OnnxModel, batches: Sequence[np.ndarray], threads: int) -> None:
    """All cores infer, and nothing else."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(model.embed, batches):
            pass


def run(pairs: int = PAIRS) -> dict[str, Figure]:
    """Ratio to the notebooks' way, share of the bound by the halves, and photos a second."""
    data = find_shared_data()
    if data is None:
        raise FileNotFoundError("photo_path needs the real photos: set CUVEE_SHARED_DATA to their folder")
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    import keras

    from include.features.image.keras_export import write_onnx

    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNetV3Small(
        include_top=False, weights=None, pooling="avg", input_shape=(224, 224, 3), include_preprocessing=False
    )
    with tempfile.TemporaryDirectory(prefix="cuvee-photo-path-") as folder:
        onnx_path = Path(folder) / "network.onnx"
        write_onnx(network, str(onnx_path), "MobileNetV3Small", "0" * 64, "tf")
        # One original has 94 megapixels; Pillow warns of it, and it is to be decoded here.
        warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
        settings = Settings(state_dir=Path(folder), photo_max_pixels=100_000_000)
        return _measure(network, onnx_path, photo_paths(data), settings, pairs)


def _measure(network: Any, onnx_path: Path, paths: list[Path], settings: Settings, pairs: int) -> dict[str, Figure]:
    photos = [path.read_bytes() for path in paths]
    slow_paths = paths[:NOTEBOOK_PHOTOS]
    slow_photos = photos[:NOTEBOOK_PHOTOS]
    encoder = load_image_encoder(str(onnx_path), settings)
    model = OnnxModel(onnx_path)
    threads = settings.inference_threads
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH, 224, 224, 3), dtype=np.uint8)
    batches = [pixels] * (len(photos) // BATCH)

    works = [
        partial(notebook_way, network, slow_paths),
        partial(encoder.encode, slow_photos * 4),
        partial(encoder.encode, photos),
        partial(decode_only, photos, threads, settings.photo_max_pixels),
        partial(infer_only, model, batches, threads),
    ]
    for warm_up in (partial(notebook_way, network, slow_paths[:3]), *works[1:]):
        warm_up()
    ratios, shares, speeds = [], [], []
    for slow, same_photos, path, decoding, inference in paired_seconds(works, pairs):
        ratios.append(slow / (same_photos / 4))
        speeds.append(len(photos) / path)
        bound = decoding / len(photos) + inference / (len(batches) * BATCH)
        shares.append(bound / (path / len(photos)))
    unit = f"x (against Keras predict one by one, {threads} threads)"
    return {
        "photo_path": summarise(ratios, unit),
        "photo_path_share": summarise(shares, "of what decoding and inference alone allow together"),
        "photo_path_speed": summarise(speeds, "photos/s"),
    }
