"""Networks in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from include.errors import ConfigurationError
from include.features.image.preprocessing import Preprocessing, preprocessing_named
from include.features.image.weights import file_hash, of_length_one, weights_identity

WEIGHTS_HASH_KEY = "cuvee.weights_sha256"
NAME_KEY = "cuvee.name"
PREPROCESSING_KEY = "cuvee.preprocessing"
"""Metadata that our own exports carry, so that an export made again has the same identity."""

_DEFAULT_SIDE = 224
_ELEMENT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class OnnxModel:
    """A `PixelModel`: one image input (photos × 3 × height × width, or photos × height × width × 3).

    Float or uint8. The preprocessing is the one asked for, else the one noted in the file by the export, else
    by layout: `raw` for uint8, `torch` for channels first (torchvision's way), `tf` for channels last (Keras').
    The vector is the first output; one value per place and channel is averaged over the places.
    """

    keeps_proportions = False

    def __init__(self, path: Path, preprocessing: str | None = None) -> None:
        """Raises ConfigurationError if the file is missing, is not ONNX, or wants another input."""
        content_hash = file_hash(path)
        self._session = _open_session(path)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._read_input(path)
        self._preprocessing = self._choose_preprocessing(preprocessing or metadata.get(PREPROCESSING_KEY))
        self.identity = weights_identity(
            metadata.get(NAME_KEY) or path.stem,
            metadata.get(WEIGHTS_HASH_KEY) or content_hash,
            self._preprocessing.name,
        )
        self.dimensions = self._try_out(path)

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Vectors of length 1, float32 (photos, dimensions), of RGB pixels uint8 (photos, height, width, 3)."""
        values = pixels if self._element_type is np.uint8 else self._preprocessing.apply(pixels)
        if self._channels_first:
            values = values.transpose(0, 3, 1, 2)
        values = np.ascontiguousarray(values, dtype=self._element_type)
        batches = [values] if self.batch_size > 1 else [values[row : row + 1] for row in range(len(values))]
        outputs = [self._session.run([self._output], {self._input: batch})[0] for batch in batches]
        return of_length_one(self._vectors(np.concatenate(outputs)))

    def _vectors(self, output: np.ndarray) -> np.ndarray:
        if output.ndim == 4:
            output = output.mean(axis=(2, 3) if self._channels_first else (1, 2))
        return output.reshape(len(output), -1).astype(np.float32)

    def _read_input(self, path: Path) -> None:
        inputs = self._session.get_inputs()
        seen = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs)
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _ELEMENT_TYPES:
            raise _unusable(path, seen)
        photos, *rest = inputs[0].shape
        self._channels_first = rest[0] == 3
        if 3 not in (rest[0], rest[2]) or photos == 0 or (isinstance(photos, int) and photos > 1):
            raise _unusable(path, seen)
        sides = rest[1:] if self._channels_first else rest[:2]
        height, width = (side if isinstance(side, int) else _DEFAULT_SIDE for side in sides)
        self.input_size = (height, width)
        self.batch_size = 1 if photos == 1 else 8
        self._input = inputs[0].name
        self._output = self._session.get_outputs()[0].name
        self._element_type = _ELEMENT_TYPES[inputs[0].type]

    def _choose_preprocessing(self, name: str | None) -> Preprocessing:
        if self._element_type is np.uint8:
            if name not in (None, "raw"):
                raise ConfigurationError(f"A network with uint8 input takes pixels as they are, not '{name}'.")
            return preprocessing_named("raw")
        return preprocessing_named(name or ("torch" if self._channels_first else "tf"))

    def _try_out(self, path: Path) -> int:
        try:
            return int(self.embed(np.zeros((1, *self.input_size, 3), dtype=np.uint8)).shape[1])
        except Exception as error:
            raise ConfigurationError(
                f"The network in {path} does not run on a photo of {self.input_size}: {error}"
            ) from error


def _open_session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a call: the photo encoder runs several calls at once, which wastes less than splitting each.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise ConfigurationError(f"{path} is not an ONNX network that can be run here: {error}") from error


def _unusable(path: Path, seen: str) -> ConfigurationError:
    return ConfigurationError(
        f"The network in {path} has the inputs [{seen}]. Expected is one input, float or uint8, of the shape "
        "(any number, 3, height, width) or (any number, height, width, 3)."
    )
