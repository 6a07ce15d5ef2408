"""Bag of words and TF-IDF: one dimension per word or pair of words, at most as many as chosen.

The dimensions are the commonest terms of the documents at hand. Plain, readable, and longer vectors than the
other encoders make: the yardstick that they have to beat.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from include.features.text.choice import TextEncoderChoice
from include.features.text.stored import StoredEncoder
from include.features.text.terms import TermSpace

logger = logging.getLogger(__name__)


class TfidfEncoder(StoredEncoder):
    """TF-IDF of words and pairs of words, with 1 + log(count) as term frequency."""

    kind = "tfidf"
    _plain = False

    def __init__(self, terms: TermSpace) -> None:
        """See `fit`."""
        self._terms = terms

    @classmethod
    def fit(cls, documents: Sequence[str], choice: TextEncoderChoice) -> Self:
        """Choose `choice.vocabulary` terms; raises ConfigurationError if no document has a word."""
        encoder = cls(TermSpace.learn(documents, {"words": choice.vocabulary}, choice.words, plain=cls._plain))
        logger.info("fitted %s: documents=%d terms=%d", cls.kind, len(documents), encoder.dimensions)
        return encoder

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._terms.size

    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (documents, dimensions); zeros where no term is known."""
        return np.asarray(self._terms.weigh(documents).toarray(), dtype=np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Terms and rarities."""
        return self._terms.state()

    @classmethod
    def from_state(cls, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray], folder: Path) -> Self:
        """The encoder of a state."""
        return cls(TermSpace.from_state(description, arrays))


class BagOfWordsEncoder(TfidfEncoder):
    """Counts of words and pairs of words, without inverse document frequency."""

    kind = "bag-of-words"
    _plain = True
