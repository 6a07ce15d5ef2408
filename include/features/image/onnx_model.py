"""Networks in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from include.errors import ConfigurationError
from include.features.image.feature_maps import with_spread
from include.features.image.onnx_feature_maps import feature_map_names, with_outputs
from include.features.image.preprocessing import Preprocessing, preprocessing_named
from include.features.image.weights import file_hash, weights_identity
from include.features.vectors import unit_length

WEIGHTS_HASH_KEY = "cuvee.weights_sha256"
NAME_KEY = "cuvee.name"
PREPROCESSING_KEY = "cuvee.preprocessing"
"""Metadata of the project's own exports, so that an export made again has the same identity."""

_DEFAULT_SIDE = 224
_BATCH = 8
"""Photos a call: of fewer, what a call costs beside them shows; of more, all other cores wait longer for the last."""
_RUN = 4
"""Photos a run of the network: what the layers of a small one make of eight no longer fits into a core's cache (5 to
10 % slower)."""
_ELEMENT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class OnnxModel:
    """A `PixelModel`: one image input (photos × 3 × height × width, or photos × height × width × 3).

    Float or uint8. The preprocessing is the given one, else the one noted in the file by the export, else
    by layout: `raw` for uint8, `torch` for channels first (torchvision's way), `tf` for channels last (Keras').
    The vector is the first output; one value per place and channel is averaged over the places. With `layers` the
    spread of the last feature maps is appended.
    """

    keeps_proportions = False

    def __init__(
        self, path: Path, preprocessing: str | None = None, *, layers: int = 0, side: int | None = None
    ) -> None:
        """`side` is the height and width of the photos for a network that takes any; 224 unless given.

        Raises ConfigurationError if the file is missing, is not ONNX, wants another input or side, has an output
        that is no vector, or has fewer feature maps than `layers`.
        """
        content_hash = file_hash(path)
        self._layers = layers
        self._session = _open_session(path, path)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._read_input(path, side)
        self._preprocessing = self._choose_preprocessing(preprocessing or metadata.get(PREPROCESSING_KEY))
        self.identity = weights_identity(
            metadata.get(NAME_KEY) or path.stem,
            metadata.get(WEIGHTS_HASH_KEY) or content_hash,
            self._preprocessing.name,
            layers=layers,
            side=side,
        )
        self._outputs = [self._session.get_outputs()[0].name]
        if layers:
            self._tap(path, layers)
        self.dimensions = self._try_out(path)

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Vectors of length 1, float32 (photos, dimensions), of RGB pixels uint8 (photos, height, width, 3)."""
        size = min(_RUN, self.batch_size)
        runs = [self._as_input(pixels[start : start + size]) for start in range(0, len(pixels), size)]
        return unit_length(np.concatenate([self._vectors(self._run(values)) for values in runs]))

    def _as_input(self, pixels: np.ndarray) -> np.ndarray:
        """The pixels in the scale, layout and type that the network takes."""
        if self._element_type is np.uint8:
            values = pixels.transpose(0, 3, 1, 2) if self._channels_first else pixels
        elif self._channels_first:
            values = self._preprocessing.apply_channels_first(pixels)
        else:
            values = self._preprocessing.apply(pixels)
        return np.ascontiguousarray(values, dtype=self._element_type)

    def _run(self, batch: np.ndarray) -> list[np.ndarray]:
        outputs: list[np.ndarray] = self._session.run(self._outputs, {self._input: batch})
        return outputs

    def _vectors(self, outputs: list[np.ndarray]) -> np.ndarray:
        own, *maps = outputs
        if own.ndim == 4:
            own = own.mean(axis=(2, 3) if self._channels_first else (1, 2))
        own = own.astype(np.float32)
        return with_spread(own, [one.transpose(0, 2, 3, 1) for one in maps]) if maps else own

    def _tap(self, path: Path, layers: int) -> None:
        """Make the last feature maps over more than one place further outputs."""
        import onnx

        network = onnx.load(path)
        own = self._outputs[0]
        names = [name for name in feature_map_names(network) if name != own]
        self._outputs = names
        self._session = _open_session(path, with_outputs(network, names).SerializeToString())
        maps = self._run(self._blank())
        wide = [name for name, one in zip(names, maps, strict=True) if one.ndim == 4 and one[0, 0].size > 1]
        if len(wide) < layers:
            raise ConfigurationError(
                f"The network in {path} has {len(wide)} feature maps, but layers={layers} were requested."
            )
        self._outputs = [own, *wide[-layers:]]
        self._session = _open_session(path, with_outputs(network, self._outputs).SerializeToString())

    def _blank(self) -> np.ndarray:
        """One black photo as the network takes it."""
        height, width = self.input_size
        shape = (1, 3, height, width) if self._channels_first else (1, height, width, 3)
        return np.zeros(shape, dtype=self._element_type)

    def _read_input(self, path: Path, side: int | None) -> None:
        inputs = self._session.get_inputs()
        seen = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs)
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _ELEMENT_TYPES:
            raise _unusable(path, seen)
        photos, *rest = inputs[0].shape
        self._channels_first = rest[0] == 3
        if 3 not in (rest[0], rest[2]) or photos == 0 or (isinstance(photos, int) and photos > 1):
            raise _unusable(path, seen)
        sides = rest[1:] if self._channels_first else rest[:2]
        height, width = (one if isinstance(one, int) else side or _DEFAULT_SIDE for one in sides)
        if side and (height, width) != (side, side):
            raise ConfigurationError(
                f"The network in {path} takes photos of {height} x {width} pixels only: leave side={side} out."
            )
        self.input_size = (height, width)
        self.batch_size = 1 if photos == 1 else _BATCH
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
        """Dimensions of the vectors, after one run."""
        try:
            outputs = self._run(self._blank())
        except Exception as error:
            raise ConfigurationError(
                f"The network in {path} does not run on a photo of {self.input_size}: {error}"
            ) from error
        if outputs[0].ndim not in (2, 4) or len(outputs[0]) != 1:
            raise ConfigurationError(
                f"The network in {path} has the output {list(outputs[0].shape)} for one photo. Expected is one vector "
                "a photo, (1, dimensions), or one value for each channel and place, of four dimensions."
            )
        return int(self._vectors(outputs).shape[1])


def _open_session(path: Path, network: Path | bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a call: the photo encoder runs several calls at once, which wastes less than splitting each.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise ConfigurationError(f"{path} is not an ONNX network that can be run here: {error}") from error


def _unusable(path: Path, seen: str) -> ConfigurationError:
    return ConfigurationError(
        f"The network in {path} has the inputs [{seen}]. Expected is one input, float or uint8, of the shape "
        "(any number, 3, height, width) or (any number, height, width, 3)."
    )
