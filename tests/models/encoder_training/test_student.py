"""The compact network."""

from __future__ import annotations

import keras
import numpy as np

from include.models.encoder_training.student import CEILING, STAGE_WIDTHS, build_stages, join
from tests.models.encoder_training.drawn import picture

SMALL = (8, 8, 12, 12, 16)


def test_each_stage_gives_the_shape_of_the_teachers_stage() -> None:
    outputs = join(build_stages(SMALL), side=64)(np.stack([picture(0, side=64)] * 2))
    assert [tuple(output.shape) for output in outputs] == [
        (2, 16, 16, 8), (2, 8, 8, 8), (2, 4, 4, 12), (2, 4, 4, 12), (2, 2, 2, 16), (2, 16)
    ]  # fmt: skip


def test_joined_stages_pass_on_what_is_active() -> None:
    keras.utils.set_random_seed(1)
    stages = build_stages(SMALL)
    outputs = [keras.ops.convert_to_numpy(one) for one in join(stages)(picture(1, side=64)[np.newaxis])]
    maps = picture(1, side=64)[np.newaxis].astype(np.float32) / 127.5 - 1
    for stage, output in zip(stages, outputs[:-1], strict=True):
        values = keras.ops.convert_to_numpy(stage(maps))
        np.testing.assert_allclose(values, output, atol=1e-4)
        maps = values.clip(0, CEILING)
    assert outputs[0].min() < 0 < outputs[0].max()
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), outputs[-1], atol=1e-4)


def test_the_network_that_ships_is_small_enough_for_its_file() -> None:
    assert sum(stage.count_params() for stage in build_stages(STAGE_WIDTHS)) < 2_900_000
