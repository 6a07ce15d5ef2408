"""The whole training of the bundled photo encoder: `python -m include train-encoder`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from include.errors import ConfigurationError
from include.models.encoder_training.distillation import Plan, distil
from include.models.encoder_training.export import export_encoder
from include.models.encoder_training.photo_crops import PhotoCrops, training_photos
from include.models.encoder_training.student import build_stages
from include.models.encoder_training.teacher import TfliteTeacher

logger = logging.getLogger(__name__)

PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True)
class PhotoFolder:
    """A folder of photos, with its sub-folders, and the share of the crops that shall come from it."""

    path: Path
    share: float = 1.0


def train_encoder(
    photos: Sequence[PhotoFolder], teacher: Path, output: Path, plan: Plan | None = None, seed: int = 7
) -> Path:
    """Trains a compact encoder that sees as the `teacher` (TFLite) does, and writes it to `output` (ONNX).

    Goes on where `output` with the ending `.checkpoint.npz` stops, if it exists; returns `output`. No labels are
    used, and the photos for which `held_out` is true are not seen. Takes hours of two cores.
    Raises ConfigurationError if a folder has no photo to learn from or the teacher does not fit.
    """
    plan = plan or Plan()
    keras.utils.set_random_seed(seed)
    source = TfliteTeacher(teacher)
    groups = [(training_photos(_photo_files(folder.path)), folder.share) for folder in photos]
    stages = build_stages(source.widths)
    output.parent.mkdir(parents=True, exist_ok=True)
    distil(stages, source, PhotoCrops(groups, seed), plan, output.with_suffix(".checkpoint.npz"))
    export_encoder(stages, output, plan.last_side)
    logger.info("wrote %s: %d bytes", output, output.stat().st_size)
    return output


def _photo_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is not a folder of photos.")
    return [path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_ENDINGS]
