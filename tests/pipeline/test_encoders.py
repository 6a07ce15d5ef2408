"""Encoders are those that the settings choose."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.features.text import TextEncoderChoice
from include.pipeline.encoders import configured_image_encoder, text_encoder_choice
from include.settings import Settings


def test_every_setting_of_a_text_encoder_reaches_its_choice() -> None:
    settings = Settings(
        text_encoder="word-vectors", text_words="lemmas", text_dimensions=7, text_vocabulary=11, seed=3,
        download_models=True,
    )  # fmt: skip
    assert text_encoder_choice(settings) == TextEncoderChoice(
        "word-vectors", words="lemmas", dimensions=7, vocabulary=11, seed=3, download=True
    )


def test_every_setting_of_a_photo_encoder_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}
    monkeypatch.setattr("include.features.image.load_image_encoder", lambda spec, **rest: given.update(rest, spec=spec))
    configured_image_encoder("classical", Settings(state_dir=tmp_path, inference_threads=5, photo_max_pixels=9))
    assert given == {"spec": "classical", "threads": 5, "max_pixels": 9, "exports": tmp_path / "encoders"}
