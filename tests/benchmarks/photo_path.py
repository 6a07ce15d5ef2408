"""`photo_path`: from the bytes of a photo to its embedding, against what others write for it.

With MobileNetV3Small at 224 pixels (random weights: its speed is that of the trained one) and with the default
encoder, the bundled network at 192 pixels. Against, on the same photos and networks,

- `notebook`: Keras `load_img` and `predict`, one photo after the other, as the notebooks did it
- `ten_lines`: Pillow and ONNX Runtime on threads, without a guard against anything
- Keras in batches, tf.data and Ray Data, as far as their packages are installed: photos a second beside ours

The first call of each way is not measured, but what it starts again for every call is.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from include.features.image.bundled_model import bundled_network
from include.features.vectors import unit_length
from include.pipeline.encoders import configured_image_encoder
from include.settings import Settings
from tests.benchmarks.measure import Figure, paired_seconds, summarise
from tests.benchmarks.photo_pipelines import Pipeline, keras_batches, notebook, ray_data, ten_lines, tf_data
from tests.benchmarks.photos import drawn_photos, real_photos
from tests.conftest import find_shared_data

logger = logging.getLogger(__name__)

PAIRS = 9
NOTEBOOK_PHOTOS = 50
"""Photos of one run of the slowest way: a part of each kind, as large a part of either."""

_OTHERS = {"keras_batches": "keras", "tf_data": "tensorflow", "ray_data": "ray"}
"""Other ways, and the package that each needs."""


class _Measured:
    """A way on some photos, and the CPU seconds of each of its runs."""

    def __init__(self, way: Pipeline, photos: Sequence[bytes]) -> None:
        self.count = len(photos)
        self.cpu: list[float] = []
        self._way, self._photos = way, photos

    def __call__(self) -> None:
        started = time.process_time()
        self._way(self._photos)
        self.cpu.append(time.process_time() - started)


def run(pairs: int = PAIRS) -> dict[str, Figure]:
    """Ratios to the other ways, photos a second, and CPU of a photo, for both networks."""
    data = find_shared_data()
    if data is None:
        logger.warning("photo_path: the real photos are not at hand (CUVEE_SHARED_DATA), so it measures drawn ones.")
    photos = drawn_photos() if data is None else real_photos(data)
    on = "drawn photos" if data is None else "real photos"
    # One original has 94 megapixels; Pillow warns of it, and it is to be decoded here.
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    with tempfile.TemporaryDirectory(prefix="cuvee-photo-path-") as folder:
        settings = Settings(state_dir=Path(folder), photo_max_pixels=100_000_000)
        figures = _against_ten_lines("_bundled", bundled_network(), photos, on, settings, pairs)
        if importlib.util.find_spec("keras") is None:
            logger.warning("photo_path with MobileNetV3Small is left out: it needs the package keras.")
            return figures
        keras_network, onnx_file = _mobilenet(Path(folder))
        figures |= _against_ten_lines("", onnx_file, photos, on, settings, pairs)
        return figures | _against_others(keras_network, onnx_file, photos, on, settings, pairs)


def _mobilenet(folder: Path) -> tuple[Any, Path]:
    """The Keras network, and the same as an ONNX file."""
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    import keras

    from include.features.image.keras_export import write_onnx

    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNetV3Small(
        include_top=False, weights=None, pooling="avg", input_shape=(224, 224, 3), include_preprocessing=False
    )
    onnx_file = folder / "network.onnx"
    write_onnx(network, str(onnx_file), "MobileNetV3Small", "0" * 64, "tf")
    return network, onnx_file


def _against_ten_lines(
    suffix: str, network: Path, photos: Sequence[bytes], on: str, settings: Settings, pairs: int
) -> dict[str, Figure]:
    encoder = configured_image_encoder(str(network), settings)
    side = 192 if suffix else 224
    twin = ten_lines(network, side, settings.inference_threads)
    check_agreement(encoder.encode(photos), unit_length(twin(photos)))
    ours, theirs = _Measured(encoder.encode, photos), _Measured(twin, photos)
    rounds = paired_seconds([ours, theirs], pairs)
    threads = f"{settings.inference_threads} threads, {on}"
    return {
        f"photo_path_ten_lines{suffix}": summarise(
            [other / own for own, other in rounds], f"x (speed against ten lines of Pillow and ONNX Runtime, {threads})"
        ),
        f"photo_path_ten_lines_cpu{suffix}": summarise(
            [other / own for own, other in zip(ours.cpu, theirs.cpu, strict=True)], "x (CPU of the ten lines over ours)"
        ),
        f"photo_path_cpu{suffix}": summarise([1000 * own / ours.count for own in ours.cpu], "ms of CPU a photo"),
        f"photo_path_speed{suffix}": summarise([ours.count / own for own, _ in rounds], f"photos/s, {threads}"),
    }


def check_agreement(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Raise ValueError unless two ways give nearly the same vectors (of length 1): else they did not do the same."""
    cosines = (ours * theirs).sum(axis=1)
    if not (cosines.min() > 0.99 and np.median(cosines) > 0.999_99):
        raise ValueError(
            f"the ways differ: cosine {np.median(cosines):.6f} in the median, {cosines.min():.6f} at least"
        )


def _against_others(
    keras_network: Any, onnx_file: Path, photos: Sequence[bytes], on: str, settings: Settings, pairs: int
) -> dict[str, Figure]:
    """Ratio to the notebooks' way, and photos a second of all ways."""
    threads = settings.inference_threads
    makers: dict[str, Callable[[], Pipeline]] = {
        "keras_batches": lambda: keras_batches(keras_network),
        "tf_data": lambda: tf_data(keras_network),
        "ray_data": lambda: ray_data(onnx_file, 224, threads),
    }
    works = {
        "": _Measured(configured_image_encoder(str(onnx_file), settings).encode, photos),
        "_notebook": _Measured(notebook(keras_network), photos[:NOTEBOOK_PHOTOS]),
        "_ten_lines": _Measured(ten_lines(onnx_file, 224, threads), photos),
    }
    for name, package in _OTHERS.items():
        if importlib.util.find_spec(package) is None:
            logger.warning("photo_path_speed_%s is left out: it needs the package %s.", name, package)
        else:
            works[f"_{name}"] = _Measured(makers[name](), photos)
    for work in works.values():
        work()
    rounds = paired_seconds(list(works.values()), pairs)
    speeds = {name: [work.count / one[place] for one in rounds] for place, (name, work) in enumerate(works.items())}
    ratios = [own / slow for own, slow in zip(speeds[""], speeds["_notebook"], strict=True)]
    unit = f"photos/s, {threads} threads, {on}"
    return {
        "photo_path": summarise(ratios, f"x (against Keras predict one by one, {threads} threads, {on})"),
        **{f"photo_path_speed{name}": summarise(values, unit) for name, values in speeds.items()},
    }
