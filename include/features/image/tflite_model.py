"""Networks in TFLite files, run by LiteRT."""

from __future__ import annotations

from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from include.errors import ConfigurationError
from include.features.image.feature_maps import with_spread
from include.features.image.preprocessing import preprocessing_named
from include.features.image.weights import file_hash, weights_identity
from include.features.vectors import unit_length


class TfliteModel:
    """A `PixelModel`: one image input (1 × height × width × 3), uint8, int8 or float.

    Quantised inputs take pixels as they are; for a float input the preprocessing is the given one, else
    `tf`. The vector is the first output, turned back into real numbers if it is quantised, and averaged over the
    places if it has any; with `layers` the spread of the last feature maps is appended.
    """

    keeps_proportions = False
    batch_size = 8

    def __init__(
        self, path: Path, preprocessing: str | None = None, *, layers: int = 0, side: int | None = None
    ) -> None:
        """`side` runs the network on photos of another height and width than it was made for.

        Raises ConfigurationError if the file is missing, is not TFLite, wants another input, cannot run at that
        side, has an output that is no vector, or has fewer feature maps than `layers`.
        """
        content_hash = file_hash(path)
        self._path, self._layers, self._side = path, layers, side
        self._content = _content_with_maps(path, layers)
        # An interpreter serves one thread at a time: each thread takes a free one, or makes its own.
        self._free: SimpleQueue[Any] = SimpleQueue()
        interpreter = self._open_interpreter()
        self._read_input(interpreter)
        self._check_output(interpreter)
        quantised = self._element_type != np.float32
        if quantised and preprocessing not in (None, "raw"):
            raise ConfigurationError(f"A network with quantised input takes pixels as they are, not '{preprocessing}'.")
        self._preprocessing = preprocessing_named("raw" if quantised else preprocessing or "tf")
        self.identity = weights_identity(path.stem, content_hash, self._preprocessing.name, layers=layers, side=side)
        self._free.put(interpreter)
        self.dimensions = int(self.embed(np.zeros((1, *self.input_size, 3), dtype=np.uint8)).shape[1])

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """Vectors of length 1, float32 (photos, dimensions), of RGB pixels uint8 (photos, height, width, 3)."""
        try:
            interpreter = self._free.get_nowait()
        except Empty:
            interpreter = self._open_interpreter()
        source = interpreter.get_input_details()[0]["index"]
        details = interpreter.get_output_details()
        targets = [details[0], *details[len(details) - self._layers :]]
        vectors = []
        for values in self._values(pixels):
            interpreter.set_tensor(source, values[np.newaxis])
            interpreter.invoke()
            own, *maps = (_dequantised(interpreter.get_tensor(one["index"]), one["quantization"]) for one in targets)
            vectors.append(with_spread(_pooled(own), maps) if maps else _pooled(own))
        self._free.put(interpreter)
        return unit_length(np.concatenate(vectors))

    def _values(self, pixels: np.ndarray) -> np.ndarray:
        if self._element_type == np.float32:
            return np.ascontiguousarray(self._preprocessing.apply(pixels))
        return (pixels.astype(np.int16) - 128).astype(np.int8) if self._element_type == np.int8 else pixels

    def _open_interpreter(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_content=self._content, num_threads=1)
            if self._side:
                source = interpreter.get_input_details()[0]["index"]
                interpreter.resize_tensor_input(source, (1, self._side, self._side, 3), strict=False)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            at_side = f" at side={self._side}" if self._side else ""
            raise ConfigurationError(
                f"{self._path} is not a TFLite network that can be run here{at_side}: {error}"
            ) from error
        return interpreter

    def _read_input(self, interpreter: Any) -> None:
        inputs = interpreter.get_input_details()
        shapes = [list(map(int, one["shape"])) for one in inputs]
        types = [one["dtype"] for one in inputs]
        if len(inputs) != 1 or len(shapes[0]) != 4 or shapes[0][0] != 1 or shapes[0][3] != 3:
            raise ConfigurationError(
                f"The network in {self._path} has inputs of the shapes {shapes}. Expected is one of the shape "
                "(1, height, width, 3): channels last."
            )
        if types[0] not in (np.uint8, np.int8, np.float32):
            raise ConfigurationError(
                f"The network in {self._path} wants {types[0].__name__} pixels. Expected is uint8, int8 or float32."
            )
        self.input_size = (shapes[0][1], shapes[0][2])
        self._element_type = types[0]

    def _check_output(self, interpreter: Any) -> None:
        shape = list(map(int, interpreter.get_output_details()[0]["shape"]))
        if len(shape) not in (2, 4) or shape[0] != 1:
            raise ConfigurationError(
                f"The network in {self._path} has the output {shape}. Expected is one vector a photo, (1, dimensions), "
                "or one for each place, (1, height, width, dimensions)."
            )


def _content_with_maps(path: Path, layers: int) -> bytes:
    content = path.read_bytes()
    if not layers:
        return content
    from include.features.image.tflite_feature_maps import with_feature_maps

    try:
        return with_feature_maps(content, layers)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _pooled(output: np.ndarray) -> np.ndarray:
    return output.mean(axis=(1, 2)) if output.ndim == 4 else output


def _dequantised(output: np.ndarray, quantisation: tuple[float, int]) -> np.ndarray:
    scale, zero = quantisation
    values = output.astype(np.float32)
    return values if scale == 0 else (values - zero) * np.float32(scale)
