from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from include.models.data.dataset import prepare_examples
from include.models.reasons.references import ReferenceProducts
from include.models.training.reference_choice import REFERENCES_PER_LABEL, choose_references
from include.models.version.artefact import Artefact
from include.schema import REFERENCES
from tests.models.conftest import draw_training_set


def chosen(dataset, seed: int = 1) -> ReferenceProducts:
    examples = prepare_examples(dataset, 5)
    vectors = np.random.default_rng(0).normal(size=(len(examples), 20)).astype(np.float32)
    return choose_references(dataset, examples, vectors, seed)


def test_a_model_has_reference_products_of_each_label(artefact):
    references = artefact.references
    assert references.table.schema == REFERENCES
    assert Counter(references.table["label"].to_pylist()) == dict.fromkeys(artefact.labels, 30)
    assert [artefact.labels[label] for label in references.label_index] == references.table["label"].to_pylist()


def test_the_number_of_references_of_a_label_is_bounded():
    counts = Counter(chosen(draw_training_set(per_label=3 * REFERENCES_PER_LABEL)).table["label"].to_pylist())
    assert set(counts.values()) == {REFERENCES_PER_LABEL}


def test_the_most_trusted_products_are_chosen_first():
    dataset = draw_training_set(per_label=2 * REFERENCES_PER_LABEL)
    origins = ["human" if number % 2 else "rule" for number in range(len(dataset.labels))]
    assert set(chosen(replace(dataset, origins=origins)).table["origin"].to_pylist()) == {"human"}


def test_of_a_content_group_one_product_is_chosen():
    dataset = draw_training_set(per_label=20)
    photos = ["same" if label == "watches" else None for label in dataset.labels]
    counts = Counter(chosen(replace(dataset, photo_hashes=photos)).table["label"].to_pylist())
    without_photo = 4
    assert (counts["watches"], counts["champagne"]) == (without_photo + 1, 20)


def test_the_same_examples_give_the_same_references():
    one, other = (chosen(draw_training_set(per_label=100)) for _ in range(2))
    assert one.identity == other.identity
    np.testing.assert_array_equal(one.coordinates, other.coordinates)
    assert one.identity != chosen(draw_training_set(per_label=100), seed=2).identity


def test_names_are_those_of_the_training_set():
    dataset = draw_training_set(per_label=10)
    names = [f"name of {product_id}" for product_id in dataset.product_ids]
    table = chosen(replace(dataset, names=names)).table
    assert table["name"].to_pylist() == [f"name of {product_id}" for product_id in table["product_id"].to_pylist()]


def test_references_come_back_with_the_model(artefact, tmp_path):
    artefact.save(tmp_path)
    loaded = Artefact.load(tmp_path).references
    assert loaded.table.equals(artefact.references.table)
    assert loaded.identity == artefact.references.identity
    for name in ("label_index", "coordinates"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(artefact.references, name))
    assert sum(path.stat().st_size for path in tmp_path.glob("references.*")) < 200_000


def test_a_model_saved_without_them_in_the_same_folder_has_none(artefact, tmp_path):
    artefact.save(tmp_path)
    replace(artefact, references=None).save(tmp_path)
    assert Artefact.load(tmp_path).references is None


@pytest.mark.parametrize("name", ["references.npz", "references.parquet"])
def test_damaged_references_are_refused_like_any_damage(artefact, tmp_path, name):
    from include.errors import NoChampionError

    artefact.save(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NoChampionError, match="was changed after it was written"):
        Artefact.load(tmp_path)
