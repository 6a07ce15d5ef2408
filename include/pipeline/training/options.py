"""The options of a training, as the settings give them."""

from __future__ import annotations

from include.models.data.training_options import TrainingOptions
from include.pipeline.encoders import text_encoder_choice
from include.settings import Settings


def training_options(settings: Settings) -> TrainingOptions:
    """What the next training does beside its rows and its recipe."""
    return TrainingOptions(
        text_encoder=text_encoder_choice(settings),
        target_precision=settings.target_precision,
        familiar_share=settings.familiar_share,
        folds=settings.training_folds,
        min_label_examples=settings.min_label_examples,
        seed=settings.seed,
    )
