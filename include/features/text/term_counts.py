"""Counting terms of many documents into sparse matrices, each distinct word looked at once per call.

Character n-grams are those of scikit-learn's `char_wb` analyser: 3 to 5 characters of a word with a space on
either side. A document's n-grams are the sum of its words' n-grams, so they are counted as
(documents × words) · (words × n-grams) instead of walking through every text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

import numpy as np
from scipy import sparse

SHORTEST_GRAM, LONGEST_GRAM = 3, 5


def word_terms(words: Sequence[str]) -> list[str]:
    """The words and the pairs of neighbours: `["brut", "rose"]` → `["brut", "rose", "brut rose"]`."""
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def character_grams(word: str) -> list[str]:
    """Every run of 3 to 5 characters of ` word `; of a shorter word, all of it."""
    padded = f" {word} "
    if len(padded) <= SHORTEST_GRAM:
        return [padded]
    sizes = range(SHORTEST_GRAM, min(LONGEST_GRAM, len(padded)) + 1)
    return [padded[start : start + size] for size in sizes for start in range(len(padded) - size + 1)]


def index_of(terms: Iterable[Iterable[str]]) -> dict[str, int]:
    """Every distinct term with a column number, in order of first appearance."""
    return {term: column for column, term in enumerate(dict.fromkeys(chain.from_iterable(terms)))}


def count_terms(rows: Iterable[Sequence[str]], columns: dict[str, int]) -> sparse.csr_array:
    """Counts of each term in each row, float32 (rows × columns); terms without a column are left out."""
    ends = [0]
    found: list[int] = []
    column_of = columns.get
    for terms in rows:
        found.extend([column for column in map(column_of, terms) if column is not None])
        ends.append(len(found))
    indices = np.array(found, dtype=np.int32)
    counts = sparse.csr_array(
        (np.ones(len(found), dtype=np.float32), indices, np.array(ends, dtype=np.int32)),
        shape=(len(ends) - 1, len(columns)),
    )
    counts.sum_duplicates()
    return counts


def count_character_grams(documents: Sequence[Sequence[str]], columns: dict[str, int]) -> sparse.csr_array:
    """Counts of each n-gram in each document of words, float32 (documents × columns)."""
    words = index_of(documents)
    grams_of_words = count_terms((character_grams(word) for word in words), columns)
    counts = sparse.csr_array(count_terms(documents, words) @ grams_of_words)
    # Sums over a row must not depend on which words the other documents have.
    counts.sort_indices()
    return counts


def commonest(counts: sparse.csr_array, terms: Sequence[str], limit: int, at_least: int) -> list[str]:
    """The terms that occur in most rows: at most `limit`, each in `at_least` rows; ties in alphabetical order."""
    frequency = np.bincount(counts.indices, minlength=len(terms))
    ranked = sorted((-int(frequency[i]), terms[i]) for i in np.flatnonzero(frequency >= at_least).tolist())
    return sorted(term for _, term in ranked[:limit])
