from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from include.models.data.dataset import TrainingSet
from include.models.reasons.nearest import NEIGHBOURS, Keys, Neighbours, nearest
from include.models.reasons.references import ReferenceProducts
from include.models.version.artefact import Artefact
from tests.models.conftest import draw_training_set


@dataclass(frozen=True, eq=False)
class Drawn:
    """Products that the model was not trained on, with all that `nearest` takes of them."""

    likeliest: np.ndarray
    keys: Keys
    text: np.ndarray
    has_text: np.ndarray
    photo: np.ndarray
    has_photo: np.ndarray

    def neighbours(self, references: ReferenceProducts, keys: Keys | None = None) -> Neighbours:
        return nearest(
            references, self.likeliest, keys or self.keys, self.text, self.has_text, self.photo, self.has_photo
        )


@pytest.fixture(scope="module")
def references(artefact: Artefact) -> ReferenceProducts:
    assert artefact.references is not None
    return artefact.references


def keys_of(products: TrainingSet, prefix: str = "other:") -> Keys:
    return {
        "product_id": pa.array([prefix + product_id for product_id in products.product_ids]),
        "text_hash": pa.array([f"{text}-" for text in products.text_hashes]),
        "photo_sha256": pa.array([photo and f"{photo}-" for photo in products.photo_hashes], pa.string()),
    }


@pytest.fixture(scope="module")
def drawn(artefact: Artefact) -> Drawn:
    products = draw_training_set(per_label=20, seed=5)
    text = artefact.text_encoder.encode(products.documents)
    has_text = np.arange(len(text)) % 7 != 0
    has_photo = ~np.isnan(products.image_vectors).any(axis=1)
    likeliest = np.random.default_rng(3).permuted(np.tile(np.arange(4), (len(text), 1)), axis=1)
    return Drawn(likeliest, keys_of(products), text, has_text, products.image_vectors, has_photo)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / max(1e-9, np.linalg.norm(one) * np.linalg.norm(other)))


def test_the_neighbours_are_those_that_looking_at_each_reference_gives(references, drawn):
    """Also those that a product has one input in common with, and none but of its three likeliest labels."""
    found = drawn.neighbours(references)
    width = references.text.count
    for row in range(len(drawn.text)):
        inputs = int(drawn.has_text[row]) + int(drawn.has_photo[row])
        similarities = {}
        for number, label in enumerate(references.label_index.tolist()):
            if label not in drawn.likeliest[row, :3]:
                continue
            there, total = references.coordinates[number].astype(np.float32), 0.0
            if drawn.has_text[row]:
                total += cosine(references.text.apply(drawn.text[row : row + 1])[0], there[:width])
            if drawn.has_photo[row] and there[width:].any():
                total += cosine(references.photo.apply(drawn.photo[row : row + 1])[0], there[width:])
            if inputs and total / inputs > 0:
                similarities[number] = total / inputs
        expected = sorted(similarities.values(), reverse=True)[:NEIGHBOURS]
        rows = found.reference[row][found.reference[row] >= 0]
        np.testing.assert_allclose(found.similarity[row, : len(rows)], expected, atol=2e-3)
        np.testing.assert_allclose([similarities[number] for number in rows], expected, atol=2e-3)
        assert not found.similarity[row, len(rows) :].any()


def test_products_are_like_trusted_products_of_their_own_label(artefact, references):
    products = draw_training_set(per_label=20, seed=5)
    text = artefact.text_encoder.encode(products.documents)
    targets = np.array([artefact.labels.index(label) for label in products.labels])
    has_photo = ~np.isnan(products.image_vectors).any(axis=1)
    every = np.tile(np.arange(4), (len(text), 1))
    found = nearest(
        references, every[:, :3], keys_of(products), text, np.ones(len(text), bool), products.image_vectors, has_photo
    )
    compared = targets < 3
    first = references.label_index[found.reference[compared, 0]]
    assert (first == targets[compared]).mean() > 0.9


@pytest.mark.parametrize("shared", ["product_id", "text_hash", "photo_sha256"])
def test_no_product_is_its_own_neighbour(shared: str, references, drawn):
    """By its id, its text or its photo: each product is made the reference that it is nearest to."""
    before = drawn.neighbours(references).reference[:, 0]
    own = references.table[shared].combine_chunks().take(pa.array(np.maximum(before, 0)))
    after = drawn.neighbours(references, {**drawn.keys, shared: own}).reference
    is_key = np.array(own.is_valid()) & (before >= 0)
    assert is_key.sum() > 20
    assert not (after[is_key] == before[is_key, None]).any()
    without_key = ~is_key
    np.testing.assert_array_equal(after[without_key, 0], before[without_key])


def test_a_product_without_text_and_photo_is_like_nothing(references, drawn):
    nothing = np.zeros(len(drawn.text), dtype=bool)
    found = nearest(references, drawn.likeliest, drawn.keys, drawn.text, nothing, drawn.photo, nothing)
    assert (found.reference == -1).all() and not found.similarity.any()


def test_no_products_have_no_neighbours(references, drawn):
    none = slice(0, 0)
    keys = {name: values[none] for name, values in drawn.keys.items()}
    found = nearest(
        references, drawn.likeliest[none], keys, drawn.text[none], drawn.has_text[none], drawn.photo[none],
        drawn.has_photo[none],
    )  # fmt: skip
    assert found.reference.shape == (0, NEIGHBOURS)


def test_photos_without_vectors_are_no_hindrance(references, drawn):
    none = np.empty((len(drawn.text), 0), np.float32)
    found = nearest(
        references, drawn.likeliest, drawn.keys, drawn.text, drawn.has_text, none, np.zeros(len(none), bool)
    )
    assert (found.reference[drawn.has_text, 0] >= 0).any()
