"""A training's state in one file, so that it goes on after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from include.errors import ConfigurationError
from include.storage.local_files import replacement


def save_checkpoint(path: Path, phase: str, step: int, variables: Sequence[keras.Variable]) -> None:
    """Writes the values of `variables` after `step` steps of `phase`; a kill leaves the former file."""
    arrays = {f"v{number:04d}": keras.ops.convert_to_numpy(variable) for number, variable in enumerate(variables)}
    with replacement(path) as stream:
        np.savez(stream, phase=np.array(phase), step=np.array(step), **arrays)


def phase_of(path: Path) -> str | None:
    """Name of the phase that the checkpoint was written in; None without a file."""
    if not path.exists():
        return None
    with np.load(path) as saved:
        return str(saved["phase"])


def load_checkpoint(path: Path, variables: Sequence[keras.Variable]) -> int:
    """Gives `variables` their saved values and returns the number of steps done.

    Raises ConfigurationError if the file is of another network.
    """
    with np.load(path) as saved:
        names = [name for name in saved.files if name.startswith("v")]
        values = [saved[name] for name in sorted(names)]
        step = int(saved["step"])
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        raise ConfigurationError(f"The checkpoint {path} is of another network or plan: remove it or name another.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return step
