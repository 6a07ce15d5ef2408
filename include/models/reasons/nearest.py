"""The reference products that products are like, found for a whole batch by a few matrix products.

A product is compared with the references of its likeliest labels only: those of the others would hardly be among the
nearest, and the work does not grow with the number of labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.models.reasons.references import ReferenceProducts, place

NEIGHBOURS = 5
"""Neighbours of a product."""
LABELS_COMPARED = 3
"""Likeliest labels whose references a product is compared with."""
_BLOCK = 2_000
"""Products compared at a time, so that memory does not grow with their number."""
_DIGITS = 3
"""Decimals of a similarity."""

Keys = Mapping[str, pa.Array | pa.ChunkedArray]
"""`product_id`, `text_hash` and `photo_sha256` of products, for those that are references themselves."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest references of n products, nearest first."""

    reference: np.ndarray
    """int32 (n, at most NEIGHBOURS): rows of the reference products; -1 where there is none."""
    similarity: np.ndarray
    """float32 of the same shape, in (0, 1]; 0 where there is none."""


def nearest(
    references: ReferenceProducts,
    likeliest: np.ndarray,
    keys: Keys,
    text_vectors: np.ndarray,
    has_text: np.ndarray,
    photo_vectors: np.ndarray,
    has_photo: np.ndarray,
) -> Neighbours:
    """The nearest references of each product among those of its likeliest labels.

    `likeliest` is int64 (n, labels): positions of labels in the model's list, of which the first few count. The
    similarity is the mean cosine over the inputs that the product has; a reference that lacks one of them has 0 there.
    A reference with the id, the text or the photo of the product is none of its neighbours: it is the product itself.
    """
    count = len(has_text)
    found = Neighbours(np.full((count, NEIGHBOURS), -1, np.int32), np.zeros((count, NEIGHBOURS), np.float32))
    itself = _itself(references, keys)
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        placed = place(
            references.text, text_vectors[block], has_text[block],
            references.photo, photo_vectors[block], has_photo[block],
        )  # fmt: skip
        inputs = np.maximum(has_text[block].astype(np.float32) + has_photo[block], 1)
        placed /= inputs[:, None]
        rows, values = _best(references, placed, likeliest[block, :LABELS_COMPARED], itself[:, block])
        found.reference[block], found.similarity[block] = rows, values
    return found


def _itself(references: ReferenceProducts, keys: Keys) -> np.ndarray:
    """int64 (3, n): the reference that is the product by its id, its text or its photo; -1 where there is none."""
    places = [
        pc.fill_null(pc.index_in(_array(keys[name]), value_set=known, skip_nulls=True), -1)
        for name, known in references.keys.items()
    ]
    return np.stack([place.to_numpy(zero_copy_only=False).astype(np.int64) for place in places])


def _array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _best(
    references: ReferenceProducts, placed: np.ndarray, likeliest: np.ndarray, itself: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the nearest references and their similarities, for the coordinates of products."""
    count, ranks = likeliest.shape
    widest = max(columns.shape[1] for _, _, columns in references.blocks)
    scores = np.full((count, ranks, widest), -np.inf, dtype=np.float32)
    first_rows = np.zeros((count, ranks), dtype=np.int64)
    for rank in range(ranks):
        order = np.argsort(likeliest[:, rank], kind="stable")
        labels = [label for label, _, _ in references.blocks]
        starts, ends = (np.searchsorted(likeliest[order, rank], labels, side) for side in ("left", "right"))
        for (_, first, columns), start, end in zip(references.blocks, starts.tolist(), ends.tolist(), strict=True):
            if start < end:
                rows = order[start:end]
                scores[rows, rank, : columns.shape[1]] = placed[rows] @ columns
                first_rows[rows, rank] = first
    _leave_out(scores, first_rows, itself)
    flat, every = scores.reshape(count, -1), np.arange(count)
    best, values = np.empty((count, NEIGHBOURS), np.int64), np.empty((count, NEIGHBOURS), np.float32)
    for number in range(NEIGHBOURS):
        best[:, number] = flat.argmax(axis=1)
        values[:, number] = flat[every, best[:, number]]
        flat[every, best[:, number]] = -np.inf
    similarities = np.round(np.minimum(values, 1.0), _DIGITS)
    is_like = similarities > 0
    reference = np.take_along_axis(first_rows, best // widest, axis=1) + best % widest
    return np.where(is_like, reference, -1), np.where(is_like, similarities, 0)


def _leave_out(scores: np.ndarray, first_rows: np.ndarray, itself: np.ndarray) -> None:
    """Take from each product's scores the references that are the product itself."""
    widest = scores.shape[2]
    for references in itself:
        rows = np.flatnonzero(references >= 0)
        places = references[rows, None] - first_rows[rows]
        row, rank = np.nonzero((places >= 0) & (places < widest))
        # A reference of another label lies outside the label's columns, whose scores do not count anyway,
        # or in the columns of the label that it is compared with: those of one label follow each other.
        scores[rows[row], rank, places[row, rank]] = -np.inf
