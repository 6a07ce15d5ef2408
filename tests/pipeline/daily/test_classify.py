from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from include.models.decision.predictions import Predictions
from include.pipeline.daily.classify import label_rows
from include.pipeline.daily.model_flags import RULE_DISAGREES, UNFAMILIAR
from include.quality.reasons import FLAGS
from include.schema import LABELS, PRODUCTS, Product
from include.taxonomy import load_taxonomy


def rows_of(predictions: Predictions) -> pa.Table:
    names = ("Brut", "Vinaigre")
    products = [Product("s", str(number), name=name, flags=("short_code",)) for number, name in enumerate(names)]
    table = pa.Table.from_pylist([product.to_row() for product in products], schema=PRODUCTS)
    photos = pa.table({"status": ["no_url"] * 2, "sha256": pa.array([None] * 2, pa.string())})
    return label_rows(table, photos, predictions, "1", load_taxonomy())


PREDICTIONS = Predictions(
    ("champagne", "vinegar"),
    np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32),
    np.zeros(2, dtype=np.int64),
    np.array([False, True]),
)


def test_a_product_like_nothing_that_was_learnt_carries_the_flag_beside_its_own():
    found = rows_of(replace(PREDICTIONS, is_unfamiliar=np.array([True, False])))
    assert found.schema == LABELS
    assert found["flags"].to_pylist() == [["short_code", UNFAMILIAR], ["short_code"]]
    assert found["decision"].to_pylist() == ["review", "accepted"]


def test_familiar_products_keep_their_flags():
    assert rows_of(PREDICTIONS)["flags"].to_pylist() == [["short_code"]] * 2


def test_a_product_that_a_rule_sees_otherwise_says_so():
    both = replace(PREDICTIONS, is_unfamiliar=np.array([True, False]), is_contradicted=np.array([True, True]))
    assert rows_of(both)["flags"].to_pylist() == [
        ["short_code", UNFAMILIAR, RULE_DISAGREES],
        ["short_code", RULE_DISAGREES],
    ]


def test_the_flags_have_a_sentence():
    assert {UNFAMILIAR, RULE_DISAGREES} <= FLAGS.keys()
