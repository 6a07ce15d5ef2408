"""Fitting the text encoder that a spec names, and loading it from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from include.errors import ConfigurationError
from include.features.text.choice import TextEncoderChoice
from include.features.text.interface import TextEncoder
from include.features.text.sentence import SentenceEncoder
from include.features.text.spacy_vectors import SpacyVectorEncoder
from include.features.text.stored import StoredEncoder, load_stored
from include.features.text.tfidf import BagOfWordsEncoder, TfidfEncoder
from include.features.text.tfidf_svd import TfidfSvdEncoder
from include.features.text.word_vectors import WordVectorEncoder

_FITTED: dict[str, type[BagOfWordsEncoder | TfidfEncoder | TfidfSvdEncoder | WordVectorEncoder]] = {
    encoder.kind: encoder for encoder in (BagOfWordsEncoder, TfidfEncoder, TfidfSvdEncoder, WordVectorEncoder)
}
_STORED: dict[str, type[StoredEncoder]] = {
    **_FITTED,
    SpacyVectorEncoder.kind: SpacyVectorEncoder,
    SentenceEncoder.kind: SentenceEncoder,
}


def fit_text_encoder(documents: Sequence[str], choice: TextEncoderChoice) -> TextEncoder:
    """Learn an encoder from documents without their labels; the same input gives the same encoder.

    Raises ConfigurationError for a spec that names no encoder, for a model that is not at hand, or if no document has a
    word.
    """
    kind, _, target = choice.spec.strip().partition(":")
    if kind == SentenceEncoder.kind and target:
        return SentenceEncoder.fit(target, download=choice.download)
    if kind == SpacyVectorEncoder.kind and target:
        return SpacyVectorEncoder.fit(documents, target)
    if kind in _FITTED and not target:
        return _FITTED[kind].fit(documents, choice)
    raise ConfigurationError(
        f"The text encoder '{choice.spec}' is not understood: use {', '.join(_FITTED)}, 'spacy:PIPELINE' or "
        "'sentence:FOLDER_OR_HUB_NAME'."
    )


def load_text_encoder(folder: Path) -> TextEncoder:
    """The encoder that `TextEncoder.save` wrote there.

    Raises ConfigurationError if files are missing or damaged, or were written by a version of the
    project whose cleaning differs: such vectors would not fit the classifier's.
    """
    return load_stored(folder, _STORED)
