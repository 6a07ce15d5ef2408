"""A fixed input with the output that a model gave when it was trained, to detect damage when it is loaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Golden:
    """A fixed input and its expected output."""

    documents: tuple[str, ...]
    text_vectors: np.ndarray
    has_text: np.ndarray
    image_vectors: np.ndarray
    has_photo: np.ndarray
    probabilities: np.ndarray


def make_golden(
    documents: list[str], text_vectors: np.ndarray, image_vectors: np.ndarray, has_photo: np.ndarray
) -> Golden:
    """A golden input without its output: the given products, and one without text and photo."""
    absent = np.full((1, image_vectors.shape[1]), np.nan, dtype=np.float32)
    return Golden(
        documents=(*documents, ""),
        text_vectors=np.vstack([text_vectors, np.zeros((1, text_vectors.shape[1]), dtype=np.float32)]),
        has_text=np.array([bool(document) for document in documents] + [False]),
        image_vectors=np.vstack([image_vectors, absent]).astype(np.float32),
        has_photo=np.append(has_photo, False),
        probabilities=np.empty((0, 0), dtype=np.float32),
    )
