from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.models.data.dataset import TrainingSet, prepare_examples
from include.models.decision.written_rules import NO_RULE, UNKNOWN_LABEL
from include.pipeline.training.options import training_options
from include.schema import text_hash
from include.settings import Settings
from tests.models.conftest import draw_training_set

OPTIONS = training_options(Settings(training_folds=2, min_label_examples=2))


def training_set(rows: list[tuple[str, str | None, str, str]]) -> TrainingSet:
    """From (text, photo, label, origin)."""
    texts, photos, labels, origins = (list(column) for column in zip(*rows, strict=True))
    vectors = np.array([[np.nan] if photo is None else [float(len(photo))] for photo in photos], dtype=np.float32)
    return TrainingSet(
        product_ids=[f"s:{number}" for number in range(len(rows))],
        documents=texts,
        text_hashes=[text_hash(text) if text else None for text in texts],
        photo_hashes=photos,
        image_vectors=vectors,
        labels=labels,
        origins=origins,
    )


FILLING = [
    ("brut", None, "champagne", "rule"), ("brut rose", None, "champagne", "rule"),
    ("montre", None, "watches", "catalogue"), ("watch", None, "watches", "catalogue"),
]  # fmt: skip


def labelled_documents(examples) -> dict[str, str]:
    return {
        document: examples.label_names[target]
        for document, target in zip(examples.documents, examples.targets, strict=True)
    }


def test_a_predicted_label_is_refused():
    with pytest.raises(ConfigurationError, match=r"predicted.*never trained on"):
        training_set([("brut", None, "champagne", "predicted")])


def test_columns_of_different_length_are_refused():
    with pytest.raises(ConfigurationError, match="differ in length"):
        replace(draw_training_set(2), labels=["champagne"])


def test_a_label_outside_the_taxonomy_is_refused():
    with pytest.raises(ConfigurationError, match="'cider'"):
        prepare_examples(training_set([*FILLING, ("pomme", None, "cider", "human")]), OPTIONS.examples_needed)


def test_the_strongest_origin_settles_a_text_for_all_its_products():
    rows = [*FILLING, ("cordon", None, "vinegar", "rule"), ("cordon", "p", "champagne", "human")]
    examples = prepare_examples(training_set(rows), OPTIONS.examples_needed)
    assert labelled_documents(examples)["cordon"] == "champagne"
    assert examples.documents.count("cordon") == 1


def test_a_text_that_its_strongest_origin_contradicts_is_left_out():
    rows = [*FILLING, ("set", None, "watches", "catalogue"), ("set", None, "champagne", "catalogue")]
    examples = prepare_examples(training_set(rows), OPTIONS.examples_needed)
    assert "set" not in examples.documents
    assert examples.rejected["contradictory"] == 2


def test_a_photo_with_several_labels_is_left_out():
    rows = [*FILLING, ("a", "placeholder", "watches", "catalogue"), ("b", "placeholder", "champagne", "catalogue")]
    examples = prepare_examples(training_set(rows), OPTIONS.examples_needed)
    assert not examples.has_photo.any()
    assert np.isnan(examples.image_vectors).all()
    assert len(np.unique(examples.groups)) == len(examples)


def test_identical_content_is_one_example():
    rows = [*FILLING, ("montre", None, "watches", "catalogue"), ("montre", "p", "watches", "catalogue")]
    examples = prepare_examples(training_set(rows), OPTIONS.examples_needed)
    assert examples.documents.count("montre") == 1
    assert examples.has_photo[examples.documents.index("montre")]
    assert examples.rejected["duplicate"] == 2


def test_a_photo_without_a_vector_counts_as_none():
    dataset = training_set([*FILLING, ("a", "p", "watches", "catalogue")])
    dataset.image_vectors[-1] = np.nan
    assert not prepare_examples(dataset, OPTIONS.examples_needed).has_photo.any()


def test_products_without_text_and_photo_are_counted():
    examples = prepare_examples(training_set([*FILLING, ("", None, "watches", "catalogue")]), OPTIONS.examples_needed)
    assert examples.rejected["no_content"] == 1


def test_a_rare_label_is_left_out_and_named():
    examples = prepare_examples(training_set([*FILLING, ("jus", None, "juice", "rule")]), OPTIONS.examples_needed)
    assert examples.rare_labels == {"juice": 1}
    assert "juice" not in examples.label_names
    assert examples.rejected["label_too_rare"] == 1


@pytest.mark.parametrize("rows", [FILLING[:2], [("", None, "watches", "human")]])
def test_fewer_than_two_labels_is_a_clear_error(rows):
    with pytest.raises(ConfigurationError, match="at least two labels"):
        prepare_examples(training_set(rows), OPTIONS.examples_needed)


def test_the_fingerprint_follows_the_rows_and_not_their_order():
    dataset = draw_training_set(3)
    order = np.arange(len(dataset.labels))[::-1]
    columns = ("product_ids", "documents", "text_hashes", "photo_hashes", "labels", "origins")
    turned = replace(
        dataset,
        **{name: [getattr(dataset, name)[row] for row in order] for name in columns},
        image_vectors=dataset.image_vectors[order],
    )
    fingerprint = dataset.fingerprint(OPTIONS)
    assert turned.fingerprint(OPTIONS) == fingerprint
    assert replace(dataset, labels=["champagne"] * len(dataset.labels)).fingerprint(OPTIONS) != fingerprint
    assert replace(dataset, image_encoder_identity="other").fingerprint(OPTIONS) != fingerprint
    assert dataset.fingerprint(replace(OPTIONS, folds=3)) != fingerprint


def test_a_rule_label_is_not_applied_to_the_examples_it_labelled():
    dataset = replace(training_set(FILLING), rule_labels=["champagne", None, "champagne", "perfume"])
    examples = prepare_examples(dataset, OPTIONS.examples_needed)
    encoded = dict(zip(examples.documents, examples.rule_label_index.tolist(), strict=True))
    champagne = examples.label_names.index("champagne")
    assert encoded == {"brut": NO_RULE, "brut rose": NO_RULE, "montre": champagne, "watch": UNKNOWN_LABEL}
    assert (prepare_examples(training_set(FILLING), OPTIONS.examples_needed).rule_label_index == NO_RULE).all()


def test_rule_labels_of_another_length_are_refused():
    with pytest.raises(ConfigurationError, match="differ in length"):
        replace(draw_training_set(2), rule_labels=["champagne"])
