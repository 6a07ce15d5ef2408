"""Text encoder: TF-IDF of words, word pairs and character n-grams, reduced by truncated SVD.

This is latent semantic analysis (Deerwester et al., 1990) with sublinear term frequency (1 + log tf) and
smoothed inverse document frequency. Words carry the meaning, character n-grams catch what no dictionary has:
misspellings, compounds, other inflections. The fitted state is plain numbers and strings, kept as `.npz` and
`.json`: nothing in it can run code.

    encoder = TfidfSvdEncoder.fit(documents, settings)
    vectors = encoder.encode(["Moët & Chandon Brut Impérial"])   # (1, 256) float32
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import sparse

from include.errors import ConfigurationError
from include.features.text.cleaning import CLEANING_VERSION
from include.features.text.term_counts import (
    character_grams,
    commonest,
    count_character_grams,
    count_terms,
    index_of,
    word_terms,
)
from include.features.text.tokens import TOKENS_VERSION, Tokenizer
from include.settings import Settings

logger = logging.getLogger(__name__)

MAX_WORD_TERMS = 30_000
MAX_CHARACTER_TERMS = 30_000
"""More terms than these made fitting slower and no label better on products in French and English."""

_FORMAT = 1
_BATCH = 2_000
_ROUNDS_OF_SVD = 3
_SMALL_CORPUS = 50
"""Below this number of documents, terms that stand in one document only are kept."""


@dataclass(frozen=True, eq=False)
class TermWeights:
    """One kind of term: its columns and their inverse document frequency."""

    terms: tuple[str, ...]
    rarity: np.ndarray
    """float32 (terms,): log((1 + documents) / (1 + documents with the term)) + 1."""

    @cached_property
    def columns(self) -> dict[str, int]:
        """Column number of each term."""
        return {term: column for column, term in enumerate(self.terms)}

    def weigh(self, counts: sparse.csr_array) -> sparse.csr_array:
        """TF-IDF of counts, each row of length 1 (or 0 where no term is known); the counts are used up."""
        counts.data = (np.log(counts.data) + 1) * self.rarity[counts.indices]
        row_of_value = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(row_of_value, weights=counts.data**2, minlength=counts.shape[0]))
        counts.data = (counts.data / lengths[row_of_value]).astype(np.float32)
        return counts


class TfidfSvdEncoder:
    """Turns documents into dense vectors; made by `fit` or `load`, and not changed afterwards."""

    def __init__(self, words: TermWeights, characters: TermWeights, components: np.ndarray) -> None:
        """`components` is float32 (terms of words + terms of characters, dimensions)."""
        self._words = words
        self._characters = characters
        self._components = components
        self._tokenizer = Tokenizer()

    @classmethod
    def fit(cls, documents: Sequence[str], settings: Settings) -> TfidfSvdEncoder:
        """Learn from documents (made by `document`) without their labels; the same input gives the same encoder.

        Has `settings.text_dimensions` dimensions, fewer if there are fewer documents or terms. Raises
        ConfigurationError if no document has a word.
        """
        from sklearn.utils.extmath import randomized_svd

        tokenizer = Tokenizer()
        tokens = [line for line in tokenizer.split(documents) if line]
        if not tokens:
            raise ConfigurationError(
                f"A text encoder cannot learn from {len(documents)} documents without a single word: "
                "check that the products have names."
            )
        words = _learn_words(tokens)
        characters = _learn_characters(tokens)
        encoder = cls(words, characters, np.empty((len(words.terms) + len(characters.terms), 0), dtype=np.float32))
        weighed = encoder._weigh(tokens)
        dimensions = min(settings.text_dimensions, *weighed.shape)
        _, _, directions = randomized_svd(weighed, dimensions, n_iter=_ROUNDS_OF_SVD, random_state=settings.seed)
        encoder._components = np.ascontiguousarray(directions.T, dtype=np.float32)
        logger.info(
            "fitted text encoder: documents=%d terms=%d dimensions=%d", len(tokens), weighed.shape[1], dimensions
        )
        return encoder

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._components.shape[1])

    @cached_property
    def identity(self) -> str:
        """Name of this encoder's vectors, e.g. `text-3f9c…`: the same exactly when every vector is the same."""
        digest = hashlib.sha256(f"{_FORMAT}|{CLEANING_VERSION}|{TOKENS_VERSION}".encode())
        for part in (self._words, self._characters):
            digest.update("\n".join(part.terms).encode("utf-8", "surrogatepass"))
            digest.update(part.rarity.tobytes())
        digest.update(self._components.tobytes())
        return f"text-{digest.hexdigest()[:32]}"

    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (documents, dimensions).

        A document without a known word or n-gram (the empty one, too) has a vector of zeros.
        """
        vectors = np.zeros((len(documents), self.dimensions), dtype=np.float32)
        for start in range(0, len(documents), _BATCH):
            tokens = self._tokenizer.split(documents[start : start + _BATCH])
            block = self._weigh(tokens) @ self._components
            lengths = np.linalg.norm(block, axis=1, keepdims=True)
            vectors[start : start + len(tokens)] = np.divide(block, lengths, out=block, where=lengths > 0)
        return vectors

    def save(self, folder: Path) -> None:
        """Write `text_encoder.npz` and `text_encoder.json` into a folder, which is made if absent."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "text_encoder.npz").open("wb") as stream:
            np.savez(
                stream,
                word_rarity=self._words.rarity,
                character_rarity=self._characters.rarity,
                components=self._components,
            )
        description = {
            "format": _FORMAT,
            "cleaning": CLEANING_VERSION,
            "tokens": TOKENS_VERSION,
            "identity": self.identity,
            "words": self._words.terms,
            "characters": self._characters.terms,
        }
        (folder / "text_encoder.json").write_text(json.dumps(description, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> TfidfSvdEncoder:
        """The encoder that `save` wrote there.

        Raises ConfigurationError if files are missing or damaged, or were written by a version of the
        project whose cleaning differs: such vectors would not fit the classifier's.
        """
        try:
            description = json.loads((folder / "text_encoder.json").read_text(encoding="utf-8"))
            with np.load(folder / "text_encoder.npz", allow_pickle=False) as arrays:
                encoder = cls(
                    TermWeights(tuple(description["words"]), arrays["word_rarity"]),
                    TermWeights(tuple(description["characters"]), arrays["character_rarity"]),
                    arrays["components"],
                )
        except Exception as error:
            raise ConfigurationError(
                f"The text encoder in {folder} is missing or damaged ({error}): train again."
            ) from error
        if encoder.identity != description.get("identity"):
            raise ConfigurationError(
                f"The text encoder in {folder} was changed, or made with another version of the text cleaning: "
                "train again."
            )
        return encoder

    def _weigh(self, tokens: Sequence[Sequence[str]]) -> sparse.csr_array:
        words = self._words.weigh(count_terms(map(word_terms, tokens), self._words.columns))
        characters = self._characters.weigh(count_character_grams(tokens, self._characters.columns))
        return sparse.csr_array(sparse.hstack([words, characters], format="csr"))


def _learn_words(tokens: Sequence[Sequence[str]]) -> TermWeights:
    columns = index_of(map(word_terms, tokens))
    return _choose(count_terms(map(word_terms, tokens), columns), list(columns), MAX_WORD_TERMS)


def _learn_characters(tokens: Sequence[Sequence[str]]) -> TermWeights:
    columns = index_of(map(character_grams, index_of(tokens)))
    return _choose(count_character_grams(tokens, columns), list(columns), MAX_CHARACTER_TERMS)


def _choose(counts: sparse.csr_array, terms: Sequence[str], limit: int) -> TermWeights:
    documents = counts.shape[0]
    chosen = commonest(counts, terms, limit, at_least=1 if documents < _SMALL_CORPUS else 2)
    frequency = dict(zip(terms, np.bincount(counts.indices, minlength=len(terms)).tolist(), strict=True))
    present = np.array([frequency[term] for term in chosen], dtype=np.float64)
    rarity = np.log((1 + documents) / (1 + present)) + 1
    return TermWeights(tuple(chosen), rarity.astype(np.float32))
