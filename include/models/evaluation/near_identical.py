"""Which texts are nearly the same: sellers write one description for a whole series, and change a number in it.

Two texts are near-identical when their sets of five-letter pieces overlap by at least 0.8 (Jaccard index; Broder,
"On the resemblance and containment of documents", 1997; the bound of Lee et al., "Deduplicating Training Data
Makes Language Models Better", 2022). The index is computed exactly, for all pairs, a block of rows at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from include.models.data.content_groups import connected_components, content_groups

SHINGLE_LETTERS = 5
SAME_FROM = 0.8

_BLOCK = 256
"""Rows compared at a time: 256 x 10,000 numbers are 20 MB."""


def near_identical_keys(
    documents: Sequence[str], same_from: float = SAME_FROM, *, among: np.ndarray | None = None
) -> list[str | None]:
    """A key per document that near-identical documents share; None for the empty ones.

    Documents linked by a chain of near-identical ones share a key, too. `among` (int64 positions) compares these
    rows with all others, and leaves others alone among themselves, which is quick for a short list.
    """
    has_words = np.array([bool(text.strip()) for text in documents], dtype=bool)
    if not has_words.any():
        return [None] * len(documents)
    pairs = _near_identical_pairs(documents, same_from, np.arange(len(documents)) if among is None else among)
    groups = connected_components(pairs, len(documents))
    return [str(group) if present else None for group, present in zip(groups.tolist(), has_words, strict=True)]


def evaluation_groups(
    documents: Sequence[str], photo_hashes: Sequence[str | None], same_from: float = SAME_FROM
) -> np.ndarray:
    """Group of each product, int64 (n,): products with the same photo or near-identical texts share one."""
    return content_groups(near_identical_keys(documents, same_from), photo_hashes)


def _near_identical_pairs(documents: Sequence[str], same_from: float, rows: np.ndarray) -> np.ndarray:
    """Pairs of positions, int64 (2, pairs)."""
    from sklearn.feature_extraction.text import CountVectorizer

    pieces = CountVectorizer(analyzer="char_wb", ngram_range=(SHINGLE_LETTERS,) * 2, binary=True, dtype=np.float32)
    try:
        found = pieces.fit_transform(documents)
    except ValueError:  # no document is as long as one piece
        return np.empty((2, 0), dtype=np.int64)
    size = np.asarray(found.sum(axis=1)).ravel()
    transposed = found.T.tocsr()
    pairs = [np.empty((2, 0), dtype=np.int64)]
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        shared = (found[block] @ transposed).tocoo()
        union = size[block][shared.row] + size[shared.col] - shared.data
        same = shared.data >= same_from * union
        pairs.append(np.stack([block[shared.row[same]], shared.col[same]]).astype(np.int64))
    return np.concatenate(pairs, axis=1)
