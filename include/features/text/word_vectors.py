"""Word vectors trained on the documents at hand, and documents as their weighted mean.

Skip-gram with negative sampling (Mikolov et al., 2013) by gensim. A document is the mean of its words' vectors,
each weighed by a / (a + frequency of the word), smooth inverse frequency (Arora, Liang and Ma, 2017), less what all
documents have in common, their mean (Mu and Viswanath, 2018). gensim is needed to fit, not to load or encode.
"""

from __future__ import annotations

import logging
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np

from include.errors import ConfigurationError
from include.features.text.choice import TextEncoderChoice
from include.features.text.stored import StoredEncoder
from include.features.text.term_counts import count_terms
from include.features.text.tokens import Tokenizer
from include.features.vectors import unit_length

logger = logging.getLogger(__name__)

SMOOTHING = 1e-3
"""`a` of smooth inverse frequency, as its authors propose."""

_WINDOW = 10
_NEGATIVE_SAMPLES = 10
_WORD_TOKENS_SEEN = 2_000_000
"""A small corpus is read more often, so that its vectors settle: 100 times at most, 10 at least."""
_FEWEST_EPOCHS, _MOST_EPOCHS = 10, 100
_BATCH = 2_000


class WordVectorEncoder(StoredEncoder):
    """Weighted means of word vectors; made by `fit`."""

    kind = "word-vectors"

    def __init__(self, words: Sequence[str], vectors: np.ndarray, common: np.ndarray, tokenizer: Tokenizer) -> None:
        """`vectors` float32 (words, dimensions) are weighed already; `common` float32 (dimensions,) is subtracted."""
        self._words = tuple(words)
        self._vectors = vectors
        self._common = common
        self._columns = {word: column for column, word in enumerate(self._words)}
        self._tokenizer = tokenizer

    @classmethod
    def fit(cls, documents: Sequence[str], choice: TextEncoderChoice) -> Self:
        """Train word vectors of `choice.dimensions` dimensions on the documents' own sentences.

        The same documents and choice give the same vectors. Raises ConfigurationError if no document has a word.
        """
        tokenizer = Tokenizer(choice.words)
        tokens = [line for line in tokenizer.split(documents) if line]
        if not tokens:
            raise ConfigurationError(
                f"Word vectors cannot be trained on {len(documents)} documents without a single word: "
                "check that the products have names."
            )
        counts = Counter(chain.from_iterable(tokens))
        words = sorted(word for word, count in counts.items() if count > 1) or sorted(counts)
        vectors = _train(tokens, words, choice)
        total = counts.total()
        weights = np.array([SMOOTHING / (SMOOTHING + counts[word] / total) for word in words], dtype=np.float32)
        encoder = cls(words, vectors * weights[:, None], np.zeros(vectors.shape[1], dtype=np.float32), tokenizer)
        encoder._common = encoder._means(tokens).mean(axis=0, dtype=np.float64).astype(np.float32)
        logger.info("trained word vectors: documents=%d words=%d dimensions=%d", len(tokens), *vectors.shape)
        return encoder

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (documents, dimensions); zeros where no word is known."""
        vectors = np.zeros((len(documents), self.dimensions), dtype=np.float32)
        for start in range(0, len(documents), _BATCH):
            means = self._means(self._tokenizer.split(documents[start : start + _BATCH]))
            means[means.any(axis=1)] -= self._common  # where no word is known there is nothing to compare
            vectors[start : start + len(means)] = unit_length(means)
        return vectors

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Words; their weighed vectors and the mean of the documents."""
        description = {"vocabulary": list(self._words), "words": self._tokenizer.words}
        return description, {"vectors": self._vectors, "common": self._common}

    @classmethod
    def from_state(cls, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray], folder: Path) -> Self:
        """The encoder of a state."""
        return cls(description["vocabulary"], arrays["vectors"], arrays["common"], Tokenizer(description["words"]))

    def _means(self, tokens: Sequence[Sequence[str]]) -> np.ndarray:
        """Means of weighed word vectors, at length 1, float32 (documents, dimensions)."""
        return unit_length(np.asarray(count_terms(tokens, self._columns) @ self._vectors, dtype=np.float32))


def _train(tokens: Sequence[Sequence[str]], words: Sequence[str], choice: TextEncoderChoice) -> np.ndarray:
    """float32 (words, dimensions)."""
    from gensim.models import Word2Vec

    size = sum(map(len, tokens))
    model = Word2Vec(
        sentences=tokens,
        vector_size=choice.dimensions,
        window=_WINDOW,
        min_count=2 if any(len(line) > 1 for line in tokens) and len(words) < size else 1,
        sg=1,
        negative=_NEGATIVE_SAMPLES,
        epochs=int(np.clip(_WORD_TOKENS_SEEN // size, _FEWEST_EPOCHS, _MOST_EPOCHS)),
        seed=choice.seed,
        workers=1,  # more would race, and the vectors would depend on who comes first
        hashfxn=_steady_hash,
    )
    return np.stack([model.wv[word] for word in words]).astype(np.float32)


def _steady_hash(word: str) -> int:
    """A hash of a word that is the same in every process; Python's own is not."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))
