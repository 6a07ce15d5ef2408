"""Reference products: a bounded choice of the trusted training products, which a version keeps to compare others with.

Embeddings are kept as coordinates: the leading principal components of each encoder's embeddings of length 1, one block
for the text and one for the photo, each of length 1 again. The inner product of two blocks is the cosine of the two
embeddings after centring, but for the components left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.models.classifier.feature_map import normalise, principal_components
from include.schema import REFERENCES

DIMENSIONS = 64
"""Coordinates of a text, and as many of a photo."""
COORDINATES_FILE = "references.npz"
TABLE_FILE = "references.parquet"
_LEAST_LENGTH = 1e-9


@dataclass(frozen=True, eq=False)
class Projection:
    """From embeddings of one encoder to coordinates of length 1."""

    directions: np.ndarray
    """float32 (d, p)"""
    offset: np.ndarray
    """float32 (p,)"""

    @classmethod
    def fit(cls, vectors: np.ndarray, seed: int) -> Projection:
        """The principal components of embeddings, float32 (n, d); none of them if there are no embeddings."""
        if not len(vectors):
            return cls(np.zeros((vectors.shape[1], 0), np.float32), np.zeros(0, np.float32))
        unit = normalise(vectors, "length")
        centre = unit.mean(axis=0)
        directions = principal_components(unit - centre, DIMENSIONS, seed)
        return cls(directions.astype(np.float32), (-centre @ directions).astype(np.float32))

    @property
    def count(self) -> int:
        """Number of coordinates."""
        return len(self.offset)

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Coordinates, float32 (n, p), of float32 (n, d); zeros for an embedding in the middle of all."""
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        placed = (vectors @ self.directions) / np.maximum(lengths, _LEAST_LENGTH)[:, None] + self.offset
        lengths = np.sqrt(np.einsum("ij,ij->i", placed, placed))
        return np.asarray(placed / np.maximum(lengths, _LEAST_LENGTH)[:, None], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class ReferenceProducts:
    """Trusted products in the order of their labels, no two of one content group."""

    table: pa.Table
    """Rows of `schema.REFERENCES`: who they are, for people."""
    label_index: np.ndarray
    """int64 (r,), ascending: position of each label in the model's label list."""
    text: Projection
    photo: Projection
    coordinates: np.ndarray
    """float16 (r, text coordinates + photo coordinates); zeros for an input that a product does not have."""

    @classmethod
    def of(
        cls,
        table: pa.Table,
        label_index: np.ndarray,
        text_vectors: np.ndarray,
        has_text: np.ndarray,
        photo_vectors: np.ndarray,
        has_photo: np.ndarray,
        seed: int,
    ) -> ReferenceProducts:
        """Reference products from their rows and embeddings; `has_text` and `has_photo`, bool (r,), say what counts."""
        text = Projection.fit(text_vectors[has_text], seed)
        photo = Projection.fit(photo_vectors[has_photo], seed)
        placed = place(text, text_vectors, has_text, photo, photo_vectors, has_photo)
        return cls(table, label_index, text, photo, placed.astype(np.float16))

    @cached_property
    def identity(self) -> str:
        """SHA-256 (hex) of the rows: the lake keeps them under it, for rows of `schema.REASONS` to refer to."""
        rows = json.dumps(self.table.to_pydict(), default=str, sort_keys=True)
        return hashlib.sha256(rows.encode()).hexdigest()

    @cached_property
    def blocks(self) -> list[tuple[int, int, np.ndarray]]:
        """For each label that has references: its position, its first row, and float32 (coordinates, its rows)."""
        labels, starts = np.unique(self.label_index, return_index=True)
        ends = np.append(starts[1:], len(self.label_index))
        columns = self.coordinates.astype(np.float32).T
        return [
            (label, start, np.ascontiguousarray(columns[:, start:end]))
            for label, start, end in zip(labels.tolist(), starts.tolist(), ends.tolist(), strict=True)
        ]

    @cached_property
    def keys(self) -> dict[str, pa.Array]:
        """By column, what a product must not share with a reference that it is compared with."""
        return {name: self.table[name].combine_chunks() for name in ("product_id", "text_hash", "photo_sha256")}

    def with_photo_days(self, days: Sequence[object]) -> ReferenceProducts:
        """The same products, with the day in whose batch the lake has the photo of each; None where it has none."""
        position = self.table.schema.get_field_index("photo_day")
        field = REFERENCES.field("photo_day")
        table = self.table.set_column(position, field, pa.array(days, field.type))
        return ReferenceProducts(table, self.label_index, self.text, self.photo, self.coordinates)

    def save(self, folder: Path) -> None:
        """Write them into a model's folder, as plain numbers and text."""
        pq.write_table(self.table, folder / TABLE_FILE, compression="zstd")
        with (folder / COORDINATES_FILE).open("wb") as stream:
            np.savez(
                stream,
                allow_pickle=False,
                label_index=self.label_index,
                coordinates=self.coordinates,
                text_directions=self.text.directions,
                text_offset=self.text.offset,
                photo_directions=self.photo.directions,
                photo_offset=self.photo.offset,
            )

    @classmethod
    def load(cls, folder: Path) -> ReferenceProducts | None:
        """The reference products in a model's folder; None for a model from before there were any."""
        if not (folder / COORDINATES_FILE).exists():
            return None
        with np.load(folder / COORDINATES_FILE, allow_pickle=False) as stored:
            arrays = dict(stored)
        return cls(
            pq.ParquetFile(folder / TABLE_FILE).read().cast(REFERENCES),
            arrays["label_index"],
            Projection(arrays["text_directions"], arrays["text_offset"]),
            Projection(arrays["photo_directions"], arrays["photo_offset"]),
            arrays["coordinates"],
        )

    @staticmethod
    def remove(folder: Path) -> None:
        """Remove those of an earlier model from a folder."""
        for name in (COORDINATES_FILE, TABLE_FILE):
            (folder / name).unlink(missing_ok=True)


def place(
    text: Projection,
    text_vectors: np.ndarray,
    has_text: np.ndarray,
    photo: Projection,
    photo_vectors: np.ndarray,
    has_photo: np.ndarray,
) -> np.ndarray:
    """Coordinates of n products, float32 (n, text coordinates + photo coordinates); zeros for an absent input."""
    placed = np.zeros((len(has_text), text.count + photo.count), dtype=np.float32)
    for projection, vectors, present, columns in (
        (text, text_vectors, has_text, slice(0, text.count)),
        (photo, photo_vectors, has_photo, slice(text.count, None)),
    ):
        if projection.count and present.any():
            placed[present, columns] = projection.apply(vectors if present.all() else vectors[present])
    return placed
