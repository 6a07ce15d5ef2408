"""The teacher's inner maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.image.tflite_model import TfliteModel
from include.models.encoder_training.teacher import TfliteTeacher
from tests.models.encoder_training.drawn import picture

EXTRACTOR = "weights/coral_mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"


def test_the_last_maps_averaged_are_the_embedding(shared_data: Path) -> None:
    teacher = TfliteTeacher(shared_data / EXTRACTOR)
    photos = np.stack([picture(seed, side=224) for seed in range(2)])
    maps = teacher.maps(photos)
    assert [one.shape for one in maps.stored] == [
        (2, 56, 56, 128), (2, 28, 28, 256), (2, 14, 14, 512), (2, 14, 14, 512), (2, 7, 7, 1024)
    ]  # fmt: skip
    averaged = maps.real(4).mean(axis=(1, 2))
    averaged /= np.linalg.norm(averaged, axis=1, keepdims=True)
    np.testing.assert_allclose(averaged, TfliteModel(shared_data / EXTRACTOR).embed(photos), atol=0.01)


def test_photos_of_other_sizes_and_numbers_are_taken(shared_data: Path) -> None:
    teacher = TfliteTeacher(shared_data / EXTRACTOR)
    alone = teacher.maps(picture(1, side=96)[np.newaxis])
    together = teacher.maps(np.stack([picture(0, side=96), picture(1, side=96), picture(2, side=96)]))
    assert alone.stored[-1].shape == (1, 3, 3, 1024)
    np.testing.assert_array_equal(alone.stored[2][0], together.stored[2][1])
    assert teacher.widths == (128, 256, 512, 512, 1024)


def test_another_network_is_refused(shared_data: Path) -> None:
    with pytest.raises(ConfigurationError, match="no uint8 map 'Somewhere'"):
        TfliteTeacher(shared_data / EXTRACTOR, ["Somewhere"])


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(b"no network")
    with pytest.raises(ConfigurationError, match="not a TFLite network"):
        TfliteTeacher(tmp_path / "net.tflite")
