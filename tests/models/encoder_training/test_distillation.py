"""Learning from a teacher."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from include.models.encoder_training.distillation import Plan, distil
from include.models.encoder_training.photo_crops import PhotoCrops
from include.models.encoder_training.student import build_stages, join
from include.models.encoder_training.teacher import StageMaps
from tests.models.encoder_training.drawn import WIDTHS, DrawnTeacher, picture

PLAN = Plan(
    alone_steps=40,
    joined_steps=80,
    batch_size=8,
    side=32,
    last_side=40,
    alone_rate=0.03,
    joined_rate=0.02,
    alone_shares=(0.5, 1.0),
    joined_weights=(0.5, 1.0),
    checkpoint_every=20,
)


class MortalTeacher(DrawnTeacher):
    """Dies when asked once too often."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self._left = last

    def maps(self, pixels: np.ndarray) -> StageMaps:
        """What it sees, until it is killed."""
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("killed")
        return super().maps(pixels)


def fresh_stages() -> list[keras.Model]:
    keras.utils.set_random_seed(5)
    return build_stages((*WIDTHS, 4, 4, 4))[: len(WIDTHS)]


def drawn_crops() -> PhotoCrops:
    return PhotoCrops([([picture(seed) for seed in range(12)], 1.0)], seed=2)


def unseen_error(stages: list[keras.Model]) -> float:
    """Error of the embeddings of pictures that were not learned from, in units of the teacher's own spread."""
    pixels = np.stack([picture(seed, side=40) for seed in range(100, 140)])
    wanted = DrawnTeacher().maps(pixels).real(1).mean(axis=(1, 2))
    seen = keras.ops.convert_to_numpy(join(stages)(pixels)[-1])
    return float(((seen - wanted) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[keras.Model], Path]:
    """A student trained without interruption, and its checkpoint."""
    stages = fresh_stages()
    checkpoint = tmp_path_factory.mktemp("trained") / "state.npz"
    distil(stages, DrawnTeacher(), drawn_crops(), PLAN, checkpoint)
    return stages, checkpoint


def test_the_student_comes_to_see_what_the_teacher_sees(trained: tuple[list[keras.Model], Path]) -> None:
    assert unseen_error(trained[0]) < unseen_error(fresh_stages()) / 2


@pytest.mark.parametrize("asked", [30, 90], ids=["while the stages learn alone", "while they learn joined"])
def test_a_killed_training_goes_on_to_the_same_network(
    tmp_path: Path, trained: tuple[list[keras.Model], Path], asked: int
) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        distil(fresh_stages(), MortalTeacher(asked), drawn_crops(), PLAN, tmp_path / "killed.npz")
    resumed = fresh_stages()
    distil(resumed, DrawnTeacher(), drawn_crops(), PLAN, tmp_path / "killed.npz")
    for one, other in zip(trained[0], resumed, strict=True):
        for wanted, given in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(given, wanted, rtol=0.02, atol=0.005)


def test_a_finished_training_is_not_done_again(trained: tuple[list[keras.Model], Path]) -> None:
    stages, checkpoint = trained
    written = checkpoint.read_bytes()
    again = fresh_stages()
    distil(again, MortalTeacher(1), drawn_crops(), PLAN, checkpoint)
    assert checkpoint.read_bytes() == written
    np.testing.assert_array_equal(again[0].get_weights()[0], stages[0].get_weights()[0])
