"""States of a training in files."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from include.errors import ConfigurationError
from include.models.encoder_training.checkpoint import load_checkpoint, phase_of, save_checkpoint


def variables(*shapes: tuple[int, ...], value: float) -> list[keras.Variable]:
    return [keras.Variable(np.full(shape, value, dtype=np.float32)) for shape in shapes]


def test_values_phase_and_step_come_back(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    assert phase_of(path) is None
    for step in (3, 4):  # the second writing replaces the first
        save_checkpoint(path, "alone", step, variables((2, 3), (4,), value=float(step)))
    others = variables((2, 3), (4,), value=0.0)
    assert phase_of(path) == "alone"
    assert load_checkpoint(path, others) == 4
    assert all((keras.ops.convert_to_numpy(one) == 4).all() for one in others)
    assert [one.name for one in tmp_path.iterdir()] == ["state.npz"]


def test_the_state_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save_checkpoint(path, "alone", 1, variables((2, 3), value=1.0))
    with pytest.raises(ConfigurationError, match="another network"):
        load_checkpoint(path, variables((3, 2), value=0.0))
