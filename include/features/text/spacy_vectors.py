"""Documents as weighted means of the word vectors of an installed spaCy pipeline, e.g. `fr_core_news_md`.

The weights are smooth inverse frequencies of the documents at hand, as for trained word vectors (see
`word_vectors`). The pipeline itself is not copied: it must be installed where the encoder is loaded, in the same
version, and its vectors are part of the identity.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from include.errors import ConfigurationError
from include.features.text.stored import StoredEncoder
from include.features.text.word_vectors import SMOOTHING
from include.features.vectors import unit_length

logger = logging.getLogger(__name__)

_UNUSED = (
    "tok2vec",
    "transformer",
    "tagger",
    "morphologizer",
    "parser",
    "senter",
    "attribute_ruler",
    "lemmatizer",
    "ner",
)
"""Components that cost most of a pipeline's loading time, where only its tokenizer and vectors are used."""


class SpacyVectorEncoder(StoredEncoder):
    """Weighted means of a pipeline's word vectors; made by `fit`."""

    kind = "spacy"

    def __init__(self, pipeline: str, frequencies: Mapping[str, float]) -> None:
        """`pipeline` is a package or a folder; `frequencies` has the share of each word among all words.

        Raises ConfigurationError if the pipeline is not installed or has no word vectors.
        """
        self._pipeline = pipeline
        self._frequencies = dict(frequencies)
        self._language = _load_pipeline(pipeline)

    @classmethod
    def fit(cls, documents: Sequence[str], pipeline: str) -> Self:
        """Count how common each word is in the documents."""
        encoder = cls(pipeline, {})
        counts = Counter(token.lower_ for text in documents for token in encoder._language.make_doc(text))
        total = max(1, counts.total())
        encoder._frequencies = {word: count / total for word, count in sorted(counts.items()) if count > 1}
        logger.info("fitted spaCy vectors: pipeline=%s documents=%d", pipeline, len(documents))
        return encoder

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._language.vocab.vectors_length)

    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (documents, dimensions); zeros where no word has a vector."""
        vectors = np.zeros((len(documents), self.dimensions), dtype=np.float32)
        with self._language.memory_zone():
            for row, text in enumerate(documents):
                for token in self._language.make_doc(text):
                    weight = SMOOTHING / (SMOOTHING + self._frequencies.get(token.lower_, 0.0))
                    vectors[row] += weight * token.vector
        return unit_length(vectors)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The pipeline, by name, version and vectors, and the frequencies."""
        meta = self._language.meta
        description = {
            "pipeline": self._pipeline,
            "version": f"{meta['lang']}_{meta['name']}-{meta['version']}",
            "vectors": hashlib.sha256(np.ascontiguousarray(self._language.vocab.vectors.data).data).hexdigest(),
            "frequencies": self._frequencies,
        }
        return description, {}

    @classmethod
    def from_state(cls, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray], folder: Path) -> Self:
        """The encoder of a state; raises ConfigurationError if the pipeline is not installed."""
        return cls(description["pipeline"], description["frequencies"])


def _load_pipeline(pipeline: str) -> Any:
    import spacy

    try:
        language = spacy.load(pipeline, exclude=_UNUSED)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The spaCy pipeline {pipeline!r} is not installed here: `python -m spacy download {pipeline}` installs it "
            f"({error})."
        ) from error
    if not language.vocab.vectors_length:
        raise ConfigurationError(
            f"The spaCy pipeline {pipeline!r} has no word vectors; take one that ends in _md or _lg."
        )
    return language
