"""The terms of documents with their weights: TF-IDF over words, word pairs, character n-grams and attribute names.

Words carry the meaning; character n-grams catch what no dictionary has: misspellings, compounds, other
inflections; the names of a catalogue's attributes (`Thread Count:`, `Ideal For:`) depend on the kind of product.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse

from include.errors import ConfigurationError
from include.features.text.term_counts import (
    character_grams,
    commonest,
    count_character_grams,
    count_terms,
    index_of,
    word_terms,
)
from include.features.text.tokens import AS_WRITTEN, Tokenizer

_SMALL_CORPUS = 50
"""Below this number of documents, terms that occur in one document only are kept."""


_ATTRIBUTE = re.compile(r"(?:^|[;\n])[^\S\n]*+([^\W\d_][^:;\n]{1,40}):(?=\s)")


@dataclass(frozen=True, eq=False)
class TermWeights:
    """One kind of term: its columns and their weights."""

    kind: str
    """`words` (with pairs of neighbours), `characters` (n-grams) or `attributes`."""
    terms: tuple[str, ...]
    rarity: np.ndarray
    """float32 (terms,): log((1 + documents) / (1 + documents with the term)) + 1."""

    @cached_property
    def columns(self) -> dict[str, int]:
        """Column number of each term."""
        return {term: column for column, term in enumerate(self.terms)}

    def weigh(self, counts: sparse.csr_array, *, plain: bool = False) -> sparse.csr_array:
        """Counts as rows of length 1 (or 0 where no term is known); the counts are used up.

        Weights are (1 + log count) * rarity, or the counts themselves if `plain`.
        """
        if not plain:
            counts.data = (np.log(counts.data) + 1) * self.rarity[counts.indices]
        row_of_value = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(row_of_value, weights=counts.data**2, minlength=counts.shape[0]))
        counts.data = (counts.data / lengths[row_of_value]).astype(np.float32)
        return counts


class TermSpace:
    """Kinds of terms side by side; made by `learn` or from the weights of each kind."""

    def __init__(self, kinds: Sequence[TermWeights], tokenizer: Tokenizer, *, plain: bool = False) -> None:
        """`plain` leaves counts as they are: a bag of words."""
        self.kinds = tuple(kinds)
        self._plain = plain
        self._tokenizer = tokenizer

    @classmethod
    def learn(
        cls, documents: Sequence[str], limits: Mapping[str, int], words: str = AS_WRITTEN, *, plain: bool = False
    ) -> Self:
        """Choose the commonest terms: `limits` has the kinds and how many terms of each at most.

        `words` is `as-written` or `lemmas`.

        Raises ConfigurationError if no document has a word.
        """
        tokenizer = Tokenizer(words)
        tokens = tokenizer.split(documents)
        not_empty = [row for row, line in enumerate(tokens) if line]
        if not not_empty:
            raise ConfigurationError(
                f"A text encoder cannot learn from {len(documents)} documents without a single word: "
                "check that the products have names."
            )
        tokens, texts = [tokens[row] for row in not_empty], [documents[row] for row in not_empty]
        kinds = [_learn_kind(kind, texts, tokens, limit) for kind, limit in limits.items()]
        return cls(kinds, tokenizer, plain=plain)

    @property
    def size(self) -> int:
        """Terms of all kinds."""
        return sum(len(kind.terms) for kind in self.kinds)

    def weigh(self, documents: Sequence[str]) -> sparse.csr_array:
        """float32 (documents, terms of all kinds), each row of length 1 (or 0 where no term is known).

        Each kind that a document has terms of makes up an equal part.
        """
        tokens = self._tokenizer.split(documents)
        parts = [
            kind.weigh(_count(kind.kind, documents, tokens, kind.columns), plain=self._plain) for kind in self.kinds
        ]
        present = sum((np.diff(part.indptr) > 0).astype(np.float32) for part in parts)
        weighed = sparse.csr_array(sparse.hstack(parts, format="csr"))
        weighed.data /= np.sqrt(np.repeat(present, np.diff(weighed.indptr)))
        return weighed

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Terms of each kind; their rarities."""
        return (
            {
                "terms": {kind.kind: list(kind.terms) for kind in self.kinds},
                "plain": self._plain,
                "words": self._tokenizer.words,
            },
            {f"rarity_{kind.kind}": kind.rarity for kind in self.kinds},
        )

    @classmethod
    def from_state(cls, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """The space of a state."""
        kinds = [
            TermWeights(kind, tuple(terms), arrays[f"rarity_{kind}"]) for kind, terms in description["terms"].items()
        ]
        return cls(kinds, Tokenizer(description["words"]), plain=description["plain"])


def attribute_names(document: str) -> list[str]:
    """The text before a colon at the start of a line or after a semicolon: `A mug; Color: red` → `["color"]`."""
    return [name.lower() for name in _ATTRIBUTE.findall(document)]


def _learn_kind(kind: str, documents: Sequence[str], tokens: Sequence[Sequence[str]], limit: int) -> TermWeights:
    found = _find(kind, documents, tokens)
    terms = list(found)
    counts = _count(kind, documents, tokens, found)
    chosen = commonest(counts, terms, limit, at_least=1 if len(tokens) < _SMALL_CORPUS else 2)
    present = np.bincount(counts.indices, minlength=len(terms))[[found[term] for term in chosen]]
    rarity = np.log((1 + len(tokens)) / (1 + present.astype(np.float64))) + 1
    return TermWeights(kind, tuple(chosen), rarity.astype(np.float32))


def _find(kind: str, documents: Sequence[str], tokens: Sequence[Sequence[str]]) -> dict[str, int]:
    """Every term of a kind with a column number."""
    if kind == "words":
        return index_of(map(word_terms, tokens))
    if kind == "characters":
        return index_of(map(character_grams, index_of(tokens)))
    return index_of(map(attribute_names, documents))


def _count(
    kind: str, documents: Sequence[str], tokens: Sequence[Sequence[str]], columns: dict[str, int]
) -> sparse.csr_array:
    """Counts of each term of a kind in each document."""
    if kind == "words":
        return count_terms(map(word_terms, tokens), columns)
    if kind == "characters":
        return count_character_grams(tokens, columns)
    return count_terms(map(attribute_names, documents), columns)
