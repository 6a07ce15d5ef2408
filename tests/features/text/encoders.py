"""Text encoders for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from include.features.text import TextEncoder, TextEncoderChoice, fit_text_encoder

CHOICE = TextEncoderChoice("tfidf-svd", words="as-written", dimensions=256, vocabulary=4_096, seed=0, download=False)


def fit(documents: Sequence[str], spec: str = CHOICE.spec, **parameters: Any) -> TextEncoder:
    """An encoder fitted on documents, with parameters of `TextEncoderChoice` other than usual."""
    return fit_text_encoder(documents, replace(CHOICE, spec=spec, **parameters))
