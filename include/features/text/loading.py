"""Which text encoder: by name when it is fitted, by its own description when it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from include.features.text.interface import TextEncoder
from include.settings import Settings


def fit_text_encoder(documents: Sequence[str], settings: Settings, spec: str | None = None) -> TextEncoder:
    """Learn an encoder from documents without their labels; the same input gives the same encoder.

    `spec` is `settings.text_encoder` unless given. Raises ConfigurationError for a spec that names no encoder,
    or if no document has a word.
    """
    from include.features.text.tfidf_svd import TfidfSvdEncoder

    return TfidfSvdEncoder.fit(documents, settings)


def load_text_encoder(folder: Path) -> TextEncoder:
    """The encoder that `TextEncoder.save` wrote there.

    Raises ConfigurationError if files are missing or damaged, or were written by a version of the
    project whose cleaning differs: such vectors would not fit the classifier's.
    """
    from include.features.text.tfidf_svd import TfidfSvdEncoder

    return TfidfSvdEncoder.load(folder)
