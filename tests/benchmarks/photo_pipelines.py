"""What others write to get from photos to vectors: the ways that the photo path is measured against.

Each takes what it loads once, and gives a function from the bytes of JPEG photos to vectors float32 (photos,
dimensions), of any length.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Pipeline = Callable[[Sequence[bytes]], np.ndarray]

_TEN_LINES_BATCH = 8
_KERAS_BATCH = 32


def ten_lines(network: Path, side: int, threads: int) -> Pipeline:
    """Pillow and ONNX Runtime on threads, as a good engineer writes them down: fast, and for good photos only.

    `network` takes pixels uint8 as they are, or float from -1 to 1, photos x side x side x 3.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # One session for all threads was as fast as one for each, or faster.
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    pixels_name, is_uint8 = session.get_inputs()[0].name, session.get_inputs()[0].type == "tensor(uint8)"

    def decode(photo: bytes) -> np.ndarray:
        image = Image.open(io.BytesIO(photo))
        image.draft("RGB", (side, side))
        return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))

    def embed(photos: Sequence[bytes]) -> np.ndarray:
        pixels = np.stack([decode(photo) for photo in photos])
        values = pixels if is_uint8 else pixels.astype(np.float32) / 127.5 - 1
        return np.asarray(session.run(None, {pixels_name: values})[0])

    def run(photos: Sequence[bytes]) -> np.ndarray:
        batches = [photos[start : start + _TEN_LINES_BATCH] for start in range(0, len(photos), _TEN_LINES_BATCH)]
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(embed, batches)))

    return run


def notebook(network: Any) -> Pipeline:
    """Keras alone, one photo at a time, as the notebooks did it."""
    import keras

    def run(photos: Sequence[bytes]) -> np.ndarray:
        vectors = []
        for photo in photos:
            image = keras.utils.load_img(io.BytesIO(photo), target_size=network.input_shape[1:3])
            pixels = np.expand_dims(keras.utils.img_to_array(image), 0)
            vectors.append(network.predict(pixels / 127.5 - 1, verbose=0))
        return np.concatenate(vectors)

    return run


def keras_batches(network: Any) -> Pipeline:
    """Keras alone, 32 photos at a time."""
    import keras

    def load(photo: bytes) -> np.ndarray:
        image = keras.utils.load_img(io.BytesIO(photo), target_size=network.input_shape[1:3])
        return np.asarray(keras.utils.img_to_array(image))

    def run(photos: Sequence[bytes]) -> np.ndarray:
        batches = [photos[start : start + _KERAS_BATCH] for start in range(0, len(photos), _KERAS_BATCH)]
        pixels = (np.stack([load(photo) for photo in batch]) for batch in batches)
        return np.concatenate([network.predict_on_batch(batch / 127.5 - 1) for batch in pixels])

    return run


def tf_data(network: Any) -> Pipeline:
    """TensorFlow's input pipeline before the Keras network: decoding on all cores, ahead of the network."""
    import tensorflow as tf

    def decode(photo: Any) -> Any:
        image = tf.io.decode_jpeg(photo, channels=3)
        return tf.image.resize(image, network.input_shape[1:3]) / 127.5 - 1

    def run(photos: Sequence[bytes]) -> np.ndarray:
        decoded = tf.data.Dataset.from_tensor_slices(list(photos)).map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        return np.asarray(network.predict(decoded.batch(_KERAS_BATCH).prefetch(tf.data.AUTOTUNE), verbose=0))

    return run


def ray_data(network: Path, side: int, threads: int) -> Pipeline:
    """Ray Data with the ten lines in each of its processes; their start counts, as in a daily run."""
    import ray

    ray.init(num_cpus=threads, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)

    class Embedder:
        def __init__(self) -> None:
            self._embed = ten_lines(network, side, 1)

        def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {"place": batch["place"], "vector": self._embed(list(batch["photo"]))}

    def run(photos: Sequence[bytes]) -> np.ndarray:
        rows = ray.data.from_items([{"place": place, "photo": photo} for place, photo in enumerate(photos)])
        embedded = rows.map_batches(Embedder, batch_size=_TEN_LINES_BATCH, concurrency=threads).take_all()
        return np.stack([row["vector"] for row in sorted(embedded, key=lambda row: row["place"])])

    return run
