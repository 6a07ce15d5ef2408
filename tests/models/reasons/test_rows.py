from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from include.models.decision.calibration import NEVER
from include.models.decision.predictions import Grounds, Predictions
from include.models.reasons.rows import PredictedInputs, reason_rows
from include.models.reasons.sentences import (
    NEVER_ACCEPTED,
    NOTHING_TO_GO_BY,
    REVIEW_REASONS,
    RULE_DISAGREES,
    UNCERTAIN,
    UNFAMILIAR,
    describe_review,
)
from include.models.version.artefact import Artefact
from include.schema import REASONS
from tests.models.conftest import draw_training_set

NAMES = ("champagne", "vinegar", "watches", "chocolate")


def inputs_of(count: int, dimensions: tuple[int, int] = (24, 12), **columns: pa.Array) -> PredictedInputs:
    nothing = pa.nulls(count, pa.string())
    given = {
        "product_ids": pa.array([f"s:{number}" for number in range(count)], pa.string()),
        "text_hashes": nothing,
        "photo_hashes": nothing,
        "rules": nothing,
        "rule_labels": nothing,
    }
    text, photo = (np.zeros((count, width), np.float32) for width in dimensions)
    return PredictedInputs(**(given | columns), text_vectors=text, photo_vectors=photo)


def predictions(**changes: np.ndarray) -> Predictions:
    """Four products: text and photo, text alone, photo alone, nothing; all accepted from 0.6 on."""
    probabilities = np.array(
        [[0.7, 0.2, 0.1, 0], [0.1, 0.8, 0.1, 0], [0, 0.3, 0.65, 0.05], [0.4, 0.3, 0.2, 0.1]], np.float32
    )
    grounds = Grounds(
        text=np.array([[0.5, 0.45, 0.05, 0]] * 4, np.float32),
        has_text=np.array([True, True, False, False]),
        photo=np.array([[0.12345678, 0, 0.8, 0.07654322]] * 4, np.float32),
        has_photo=np.array([True, False, True, False]),
        needed=changes.pop("needed", np.array([0.6, 0.6, 0.6, NEVER], np.float32)),
    )
    made = Predictions(NAMES, probabilities, np.array([2, 0, 1, 3]), np.array([True, True, True, False]))
    return replace(made, grounds=grounds, **changes)


def test_what_text_and_photo_said_is_told_apart():
    rows = reason_rows(inputs_of(4), predictions(), None, "7")
    assert rows.schema == REASONS
    text, photo = (rows[name].to_pylist() for name in ("text_labels", "photo_labels"))
    assert [[pair["label"] for pair in pairs or ()] for pairs in text] == [
        ["champagne", "vinegar", "watches"], ["champagne", "vinegar", "watches"], [], [],
    ]  # fmt: skip
    assert [pair["label"] for pair in photo[0]] == ["watches", "champagne", "chocolate"]
    assert [round(pair["probability"], 6) for pair in photo[0]] == [0.8, 0.1235, 0.0765]
    assert [pairs is None for pairs in photo] == [False, True, False, True]
    assert rows["model_version"].to_pylist() == ["7"] * 4


def test_a_model_without_references_has_no_neighbours_and_says_so():
    rows = reason_rows(inputs_of(4), predictions(), None, "7")
    assert rows["neighbours"].null_count == rows["reference_list"].null_count == 4


def test_accepted_products_have_no_reason_for_review():
    rows = reason_rows(inputs_of(4), predictions(), None, "7")
    assert rows["review_reasons"].to_pylist() == [[], [], [], [NOTHING_TO_GO_BY]]
    assert rows["needed_confidence"].to_pylist()[3] is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"needed": np.array([0.9] * 4, np.float32)}, UNCERTAIN),
        ({"needed": np.array([NEVER] * 4, np.float32)}, NEVER_ACCEPTED),
        ({"is_unfamiliar": np.array([True] * 4)}, UNFAMILIAR),
        ({"is_contradicted": np.array([True] * 4)}, RULE_DISAGREES),
    ],
)
def test_what_keeps_a_product_from_being_accepted_is_named(changes, code):
    rows = reason_rows(inputs_of(4), predictions(**changes), None, "7")
    assert rows["review_reasons"].to_pylist()[:3] == [[code]] * 3


def test_several_reasons_are_all_named():
    made = predictions(
        needed=np.array([0.9] * 4, np.float32), is_unfamiliar=np.array([True] * 4), is_contradicted=np.array([True] * 4)
    )
    rows = reason_rows(inputs_of(4), made, None, "7")
    assert rows["review_reasons"].to_pylist()[0] == [UNFAMILIAR, RULE_DISAGREES, UNCERTAIN]


def test_no_product_has_no_row():
    none = predictions().take(np.arange(0))
    none = replace(none, grounds=Grounds(*(np.empty((0, 4)), np.empty(0, bool)) * 2, needed=np.empty(0, np.float32)))
    assert reason_rows(inputs_of(0), none, None, "7").equals(REASONS.empty_table())


def test_reasons_of_a_real_model_agree_with_its_predictions(artefact: Artefact):
    """Accepted exactly where nothing is against it; and the neighbours are rows of its reference products."""
    products = draw_training_set(per_label=50, seed=7)
    text = artefact.text_encoder.encode(products.documents)
    has_photo = ~np.isnan(products.image_vectors).any(axis=1)
    rules = ["vinegar" if number % 9 == 0 else None for number in range(len(text))]
    made = artefact.predict(text, np.arange(len(text)) % 5 != 0, products.image_vectors, has_photo, rules)
    inputs = inputs_of(len(text), text_hashes=pa.array(products.text_hashes))
    inputs = replace(inputs, text_vectors=text, photo_vectors=products.image_vectors)
    rows = reason_rows(inputs, made, artefact.references, "7")
    reasons = rows["review_reasons"].to_pylist()
    assert [not codes for codes in reasons] == made.is_accepted.tolist()
    assert {code for codes in reasons for code in codes} >= {RULE_DISAGREES, NOTHING_TO_GO_BY}
    assert set(rows["reference_list"].to_pylist()) == {artefact.references.identity}
    for one, modality in zip(rows["neighbours"].to_pylist(), made.modalities, strict=True):
        assert (not one) == (modality == "none")
        similarities = [neighbour["similarity"] for neighbour in one]
        assert similarities == sorted(similarities, reverse=True)
        assert all(0 <= neighbour["reference"] < artefact.references.table.num_rows for neighbour in one)


def test_predictions_of_nobody_have_no_reasons():
    with pytest.raises(ValueError, match="grounds"):
        reason_rows(inputs_of(4), replace(predictions(), grounds=None), None, "7")


def test_every_code_has_a_sentence_and_figures_where_it_is_about_them():
    codes = {NOTHING_TO_GO_BY, UNFAMILIAR, RULE_DISAGREES, NEVER_ACCEPTED, UNCERTAIN}
    assert codes == set(REVIEW_REASONS)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in REVIEW_REASONS.values())
    assert describe_review(UNCERTAIN, 0.71, 0.93) == ("The model is not confident enough: 71 %; this label needs 93 %.")
    assert describe_review(UNCERTAIN, 0.9949, 0.997).endswith("99.5 %; this label needs 99.7 %.")
    assert describe_review(UNCERTAIN) == "The model is not confident enough."
    assert "mystery" in describe_review("mystery")
