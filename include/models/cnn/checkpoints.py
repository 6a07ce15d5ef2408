"""What of a training survives a kill: weights, optimiser, and how far it was. What is drawn depends on the epoch alone.

A checkpoint is a folder that appears under its name only when it is whole; the one before it is removed afterwards. So
there is always one that can be gone on from, whenever the process was killed.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError
from include.storage.local_files import flush

logger = logging.getLogger(__name__)

_LAST, _BEST, _STATE = "last.weights.h5", "best.weights.h5", "state.json"


@dataclass
class TrainingState:
    """How far a training is; everything that is not in the weights."""

    fingerprint: str
    """Of the photos, their labels and the recipe: another training is never gone on with."""
    phase: int = 0
    epoch: int = 0
    """Epochs of this phase that are done."""
    best_loss: float = float("inf")
    """Lowest validation loss so far, over all phases."""
    best_row: int = -1
    """Row of the history that has it."""
    waited: int = 0
    """Epochs of this phase since the loss was lowest in it."""
    best_loss_of_phase: float = float("inf")
    history: list[dict[str, Any]] = field(default_factory=list)
    """A row per epoch; see `include/models/cnn/fitting.py`."""


class Checkpoints:
    """The checkpoints of one training, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read_state(self, fingerprint: str) -> TrainingState | None:
        """How far an earlier process came; None if it left nothing.

        Raises ConfigurationError if what it left is of another training.
        """
        newest = self._newest()
        if newest is None:
            return None
        state = TrainingState(**json.loads((newest / _STATE).read_text()))
        if state.fingerprint != fingerprint:
            raise ConfigurationError(
                f"{self._folder} holds the checkpoints of a training with other photos or another recipe: "
                "name another folder, or delete that one."
            )
        return state

    def save(self, model: Any, state: TrainingState, *, is_best: bool) -> None:
        """Keep a compiled Keras model, its optimiser included, and its state; `is_best` keeps the weights as best."""
        self._folder.mkdir(parents=True, exist_ok=True)
        earlier = self._newest()
        for leftover in self._folder.glob(".*"):
            shutil.rmtree(leftover)
        target = self._folder / f"epoch-{len(state.history):06d}"
        temporary = self._folder / f".{target.name}"
        temporary.mkdir()
        model.save_weights(temporary / _LAST)
        if is_best or earlier is None:
            _without_optimiser(model).save_weights(temporary / _BEST)
        else:
            os.link(earlier / _BEST, temporary / _BEST)
        (temporary / _STATE).write_text(json.dumps(asdict(state)))
        for file in temporary.iterdir():
            flush(file)
        temporary.rename(target)
        flush(self._folder)
        for old in self._folder.glob("epoch-*"):
            if old != target:
                shutil.rmtree(old)

    def restore_last(self, model: Any) -> None:
        """Put the last weights and optimiser into a compiled model of the same build."""
        model.optimizer.build(model.trainable_variables)
        model.load_weights(self._existing() / _LAST)

    def restore_best(self, model: Any) -> None:
        """Put the weights of the lowest validation loss into a model; the optimiser is left as it is."""
        _without_optimiser(model).load_weights(self._existing() / _BEST)

    def clear(self) -> None:
        """Remove all checkpoints; killed on the way, what is left is not taken for one."""
        removed = self._folder.with_name(f".{self._folder.name}.removed")
        shutil.rmtree(removed, ignore_errors=True)  # of a process that was killed here
        if self._folder.exists():
            self._folder.rename(removed)
            shutil.rmtree(removed, ignore_errors=True)

    def _existing(self) -> Path:
        newest = self._newest()
        if newest is None:
            raise ConfigurationError(f"{self._folder} holds no checkpoint: it was deleted during the training.")
        return newest

    def _newest(self) -> Path | None:
        return max(self._folder.glob("epoch-*"), default=None)


def _without_optimiser(model: Any) -> Any:
    """The same layers in another model: phases train other weights, so their optimisers do not fit each other."""
    import keras

    return keras.Model(model.inputs, model.outputs)
