"""The encoders that the settings choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.features.text.choice import TextEncoderChoice
from include.settings import Settings

if TYPE_CHECKING:
    from include.features.image import ImageEncoder


def configured_image_encoder(spec: str, settings: Settings) -> ImageEncoder:
    """The photo encoder that `spec` names, e.g. `settings.image_encoder` or that of a model version.

    Raises ConfigurationError if the spec is not understood, or its file is missing or does not fit.
    """
    from include.features.image import load_image_encoder

    return load_image_encoder(
        spec,
        threads=settings.inference_threads,
        max_pixels=settings.photo_max_pixels,
        exports=settings.state_dir / "encoders",
    )


def text_encoder_choice(settings: Settings) -> TextEncoderChoice:
    """The text encoder that the settings choose for the next training."""
    return TextEncoderChoice(
        spec=settings.text_encoder,
        words=settings.text_words,
        dimensions=settings.text_dimensions,
        vocabulary=settings.text_vocabulary,
        seed=settings.seed,
        download=settings.download_models,
    )
