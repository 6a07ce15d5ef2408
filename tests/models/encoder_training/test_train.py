"""The training from folders of photos to the file that ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.features.image.onnx_model import OnnxModel
from include.models.encoder_training.distillation import Plan
from include.models.encoder_training.train import PhotoFolder, train_encoder
from tests.models.encoder_training.drawn import file_of, picture
from tests.models.encoder_training.test_teacher import EXTRACTOR

NO_STEPS = Plan(alone_steps=0, joined_steps=0, batch_size=1, side=32, last_side=64)


def test_folders_and_a_teacher_become_an_encoder_of_the_plans_size(tmp_path: Path, shared_data: Path) -> None:
    (tmp_path / "photos" / "below").mkdir(parents=True)
    for seed in range(12):
        (tmp_path / "photos" / "below" / f"{seed}.png").write_bytes(file_of(picture(seed)))
    (tmp_path / "photos" / "notes.txt").write_text("no photo")
    output = tmp_path / "made" / "encoder.onnx"
    train_encoder([PhotoFolder(tmp_path / "photos")], shared_data / EXTRACTOR, output, NO_STEPS)
    model = OnnxModel(output)
    assert (model.input_size, model.dimensions) == ((64, 64), 1024)


def test_a_missing_folder_and_one_without_photos_are_refused(tmp_path: Path, shared_data: Path) -> None:
    teacher, output = shared_data / EXTRACTOR, tmp_path / "encoder.onnx"
    with pytest.raises(ConfigurationError, match="is not a folder of photos"):
        train_encoder([PhotoFolder(tmp_path / "nowhere")], teacher, output, NO_STEPS)
    with pytest.raises(ConfigurationError, match="None of the 0 files"):
        train_encoder([PhotoFolder(tmp_path)], teacher, output, NO_STEPS)
    assert not output.exists()
