"""The larger network that is learned from: what it sees at the end of each group of its layers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from include.errors import ConfigurationError

MOBILENET_STAGE_ENDS = tuple(f"MobilenetV1/MobilenetV1/Conv2d_{layer}_pointwise/Relu6" for layer in (3, 5, 6, 11, 13))
"""Beginnings of the names of the tensors after which a MobileNet v1 halves its maps, and of the last ones."""


@dataclass(frozen=True)
class StageMaps:
    """Maps of the ends of stages as stored, uint8 (photos, height, width, channels) each: value = stored * scale."""

    stored: list[np.ndarray]
    scales: list[float]

    def real(self, stage: int) -> np.ndarray:
        """The maps of one stage as float32."""
        return self.stored[stage].astype(np.float32) * np.float32(self.scales[stage])


class TfliteTeacher:
    """A quantised TFLite network whose inner maps can be read, for square photos of any size.

    Not for several threads at once.
    """

    def __init__(self, path: Path, stage_ends: Sequence[str] = MOBILENET_STAGE_ENDS) -> None:
        """Raises ConfigurationError if the file is not such a network or a stage's end is missing in it."""
        from ai_edge_litert.interpreter import Interpreter

        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*preserve_all_tensors")
                self._interpreter = Interpreter(
                    model_path=str(path), num_threads=1, experimental_preserve_all_tensors=True
                )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ConfigurationError(f"The teacher {path} is not a TFLite network: {error}") from error
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._shape: tuple[int, ...] = ()
        ends = [self._find(path, name) for name in stage_ends]
        self._ends = [int(end["index"]) for end in ends]
        self._scales = [float(end["quantization"][0]) for end in ends]
        self.widths = tuple(int(end["shape"][3]) for end in ends)

    def maps(self, pixels: np.ndarray) -> StageMaps:
        """What the teacher sees in RGB pixels uint8 (photos, side, side, 3)."""
        if pixels.shape != self._shape:
            self._interpreter.resize_tensor_input(self._input, list(pixels.shape))
            self._interpreter.allocate_tensors()
            self._shape = pixels.shape
        self._interpreter.set_tensor(self._input, pixels)
        self._interpreter.invoke()
        return StageMaps([self._interpreter.get_tensor(end) for end in self._ends], self._scales)

    def _find(self, path: Path, name: str) -> dict[str, Any]:
        for detail in self._interpreter.get_tensor_details():
            if detail["name"].startswith(name) and len(detail["shape"]) == 4 and detail["dtype"] is np.uint8:
                if detail["quantization"][1] != 0:
                    raise ConfigurationError(f"The teacher {path} stores zero as another number in '{name}'.")
                return dict(detail)
        raise ConfigurationError(f"The teacher {path} has no uint8 map '{name}': it cannot be learned from by stages.")
