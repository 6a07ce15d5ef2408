"""Labels from photos with an exported network: ONNX Runtime alone, no Keras."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from include.errors import ConfigurationError
from include.features.image.photo_encoder import PhotoEncoder

LABELS_KEY = "cuvee.labels"
"""Metadata of the exported file: the labels as a JSON list, in the order of the second output."""


class CnnClassifier:
    """A network that `train_cnn` has exported: photos in, probabilities out. They are not calibrated."""

    def __init__(self, path: Path, *, threads: int, max_pixels: int) -> None:
        """Raises ConfigurationError if the file is missing or is not such an export."""
        model = _ProbabilityModel(path)
        self.label_names = model.label_names
        """Labels in the order of the columns."""
        self._encoder = PhotoEncoder(model, threads=threads, max_pixels=max_pixels)

    def predict(self, photos: Sequence[bytes]) -> np.ndarray:
        """Probabilities float32 (photos, labels) in [0, 1]; a row of NaN for a photo that cannot be decoded."""
        return self._encoder.encode(photos)


class _ProbabilityModel:
    """A `PixelModel` whose vectors are the probabilities."""

    keeps_proportions = False
    batch_size = 8

    def __init__(self, path: Path) -> None:
        import onnxruntime

        if not path.is_file():
            raise ConfigurationError(f"{path} is not there: train it with `python -m include train-cnn`.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ConfigurationError(f"{path} is not an ONNX network that can be run here: {error}") from error
        labels = self._session.get_modelmeta().custom_metadata_map.get(LABELS_KEY)
        if labels is None or len(self._session.get_outputs()) != 2:
            raise ConfigurationError(f"{path} has no labels: it was not made by `python -m include train-cnn`.")
        self.identity = path.stem
        self.label_names: tuple[str, ...] = tuple(json.loads(labels))
        self.dimensions = len(self.label_names)
        (pixels,) = self._session.get_inputs()
        self._input = pixels.name
        self.input_size = (pixels.shape[1], pixels.shape[2])

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Probabilities float32 (photos, labels) of RGB pixels uint8 (photos, height, width, 3)."""
        return np.asarray(self._session.run(None, {self._input: pixels.astype(np.float32)})[1])
