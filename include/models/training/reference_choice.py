"""Which trusted products a version keeps to compare others with: as many of each label, one of a content group."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from include.models.data.dataset import Examples, TrainingSet
from include.models.reasons.references import ReferenceProducts
from include.schema import LABEL_ORIGINS, REFERENCES

REFERENCES_PER_LABEL = 64
"""Most references of a label: with forty labels and 128 coordinates of two bytes, 0.7 MB."""


def choose_references(
    dataset: TrainingSet, examples: Examples, text_vectors: np.ndarray, seed: int
) -> ReferenceProducts:
    """The reference products of a model that is trained on the examples; `text_vectors` float32 (n, d) are theirs."""
    chosen = np.array(_chosen(examples, seed), dtype=np.int64)
    rows = examples.rows[chosen].tolist()
    has_photo = examples.has_photo[chosen]
    columns = {
        "product_id": [dataset.product_ids[row] for row in rows],
        "label": [examples.label_names[label] for label in examples.targets[chosen]],
        "origin": [examples.origins[row] for row in chosen],
        "name": [None] * len(rows) if dataset.names is None else [dataset.names[row] for row in rows],
        "text_hash": [dataset.text_hashes[row] for row in rows],
        "photo_sha256": [
            dataset.photo_hashes[row] if there else None for row, there in zip(rows, has_photo, strict=True)
        ],
        "photo_day": [None] * len(rows),
    }
    return ReferenceProducts.of(
        pa.table(columns, schema=REFERENCES),
        examples.targets[chosen],
        text_vectors[chosen],
        examples.has_text[chosen],
        examples.image_vectors[chosen],
        has_photo,
        seed,
    )


def _chosen(examples: Examples, seed: int) -> list[int]:
    """Examples by label: those of the most trusted origin first, with text and photo before others, then by chance."""
    rank = {origin: number for number, origin in enumerate(LABEL_ORIGINS)}
    origins = np.array([rank[origin] for origin in examples.origins])  # type: ignore[index]
    has_both = examples.has_text & examples.has_photo
    chance = np.random.default_rng(seed).permutation(len(examples))
    order = np.lexsort((chance, ~has_both, origins))
    chosen: list[list[int]] = [[] for _ in examples.label_names]
    groups: set[int] = set()
    for row in order.tolist():
        of_label, group = chosen[examples.targets[row]], int(examples.groups[row])
        if len(of_label) < REFERENCES_PER_LABEL and group not in groups:
            groups.add(group)
            of_label.append(row)
    return [row for of_label in chosen for row in of_label]
