"""TF-IDF of words, word pairs, character n-grams and attribute names, reduced by truncated SVD.

This is latent semantic analysis (Deerwester et al., 1990) with sublinear term frequency (1 + log tf) and
smoothed inverse document frequency.
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

MAX_TERMS = {"words": 30_000, "characters": 30_000, "attributes": 2_000}
"""More terms than these made fitting slower and no label better on products in French and English."""

_BATCH = 2_000
_ROUNDS_OF_SVD = 3


class TfidfSvdEncoder(StoredEncoder):
    """TF-IDF projected on the singular vectors of the documents that it was fitted on."""

    kind = "tfidf-svd"

    def __init__(self, terms: TermSpace, components: np.ndarray) -> None:
        """`components` is float32 (terms, dimensions)."""
        self._terms = terms
        self._components = components

    @classmethod
    def fit(cls, documents: Sequence[str], choice: TextEncoderChoice) -> Self:
        """Learn from documents (made by `document`) without their labels; the same input gives the same encoder.

        Has `choice.dimensions` dimensions, fewer if there are fewer documents or terms. Raises
        ConfigurationError if no document has a word.
        """
        from sklearn.utils.extmath import randomized_svd

        terms = TermSpace.learn(documents, MAX_TERMS, choice.words)
        weighed = terms.weigh(documents)
        dimensions = min(choice.dimensions, *weighed.shape)
        _, _, directions = randomized_svd(weighed, dimensions, n_iter=_ROUNDS_OF_SVD, random_state=choice.seed)
        logger.info("fitted %s: documents=%d terms=%d dimensions=%d", cls.kind, *weighed.shape, dimensions)
        return cls(terms, np.ascontiguousarray(directions.T, dtype=np.float32))

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._components.shape[1])

    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of length at most 1, float32 (documents, dimensions); zeros where no term is known.

        The length is the share of a document that lies in the fitted subspace. Normalising to length 1 would give
        documents of mostly unknown terms the same weight as others, and made labels worse.
        """
        vectors = np.zeros((len(documents), self.dimensions), dtype=np.float32)
        for start in range(0, len(documents), _BATCH):
            known = self._terms.weigh(documents[start : start + _BATCH]) @ self._components
            vectors[start : start + len(known)] = known
        return vectors

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Terms and rarities; the directions."""
        description, arrays = self._terms.state()
        return description, {**arrays, "components": self._components}

    @classmethod
    def from_state(cls, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray], folder: Path) -> Self:
        """The encoder of a state."""
        return cls(TermSpace.from_state(description, arrays), arrays["components"])
