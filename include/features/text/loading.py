"""From an encoder's spec, as the settings hold it, to the fitted encoder; from a folder, back to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from include.errors import ConfigurationError
from include.features.text.interface import TextEncoder
from include.features.text.sentence import SentenceEncoder
from include.features.text.spacy_vectors import SpacyVectorEncoder
from include.features.text.stored import StoredEncoder, load_stored
from include.features.text.tfidf import BagOfWordsEncoder, TfidfEncoder
from include.features.text.tfidf_svd import TfidfSvdEncoder
from include.features.text.word_vectors import WordVectorEncoder
from include.settings import Settings

_FITTED: dict[str, type[BagOfWordsEncoder | TfidfEncoder | TfidfSvdEncoder | WordVectorEncoder]] = {
    encoder.kind: encoder for encoder in (BagOfWordsEncoder, TfidfEncoder, TfidfSvdEncoder, WordVectorEncoder)
}
_STORED: dict[str, type[StoredEncoder]] = {
    **_FITTED,
    SpacyVectorEncoder.kind: SpacyVectorEncoder,
    SentenceEncoder.kind: SentenceEncoder,
}


def fit_text_encoder(documents: Sequence[str], settings: Settings, spec: str | None = None) -> TextEncoder:
    """Learn an encoder from documents without their labels; the same input gives the same encoder.

    `spec` is `settings.text_encoder` unless given; see the table in `include/features/text/__init__.py`. Raises
    ConfigurationError for a spec that names no encoder, for a model that is not at hand, or if no document has a word.
    """
    spec = settings.text_encoder if spec is None else spec
    kind, _, target = spec.strip().partition(":")
    if kind == SentenceEncoder.kind and target:
        return SentenceEncoder.fit(target, settings)
    if kind == SpacyVectorEncoder.kind and target:
        return SpacyVectorEncoder.fit(documents, target)
    if kind in _FITTED and not target:
        return _FITTED[kind].fit(documents, settings)
    raise ConfigurationError(
        f"The text encoder '{spec}' is not understood: use {', '.join(_FITTED)}, 'spacy:PIPELINE' or "
        "'sentence:FOLDER_OR_HUB_NAME'."
    )


def load_text_encoder(folder: Path) -> TextEncoder:
    """The encoder that `TextEncoder.save` wrote there.

    Raises ConfigurationError if files are missing or damaged, or were written by a version of the
    project whose cleaning differs: such vectors would not fit the classifier's.
    """
    return load_stored(folder, _STORED)
