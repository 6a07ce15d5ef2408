"""Predictions of an evaluation as a table, kept so that another model can be compared with this one later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.models.evaluation.comparison import compare
from include.models.evaluation.cross_validation import Predicted
from include.models.evaluation.results import Comparison

PREDICTIONS = pa.schema(
    [
        pa.field("modality", pa.string(), nullable=False),
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("repeat", pa.int32(), nullable=False),
        pa.field("fold", pa.int32(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("predicted", pa.string(), nullable=False),
        pa.field("confidence", pa.float32(), nullable=False),
        pa.field("accepted", pa.bool_(), nullable=False),
    ]
)
"""One row per way to predict (key of `Evaluation.modalities`), product and repeat; `label` is the true one."""


def predictions_table(predictions: Mapping[str, Predicted], product_ids: Mapping[str, Sequence[str]]) -> pa.Table:
    """Rows of `PREDICTIONS`; `product_ids` are the ids of the data set that each key's rows point into."""
    tables = [PREDICTIONS.empty_table()]
    for key, predicted in predictions.items():
        names, ids = np.array(predicted.label_names, dtype=object), product_ids[key]
        columns = [
            pa.array([key] * len(predicted.rows)),
            pa.array([ids[row] for row in predicted.rows.tolist()]),
            pa.array(predicted.repeats, pa.int32()),
            pa.array(predicted.folds, pa.int32()),
            pa.array(names[predicted.targets], pa.string()),
            pa.array(names[predicted.found], pa.string()),
            pa.array(predicted.confidences, pa.float32()),
            pa.array(predicted.accepted),
        ]
        tables.append(pa.table(columns, schema=PREDICTIONS))
    return pa.concat_tables(tables)


def compare_tables(ours: pa.Table, theirs: pa.Table, other: str) -> tuple[Comparison, ...]:
    """McNemar's test per way to predict, on the products that both tables have (first repeat); `other` names theirs.

    A product whose true label has changed in between is left out.
    """
    comparisons = []
    keys = [key for key in pc.unique(ours["modality"]).to_pylist() if key in pc.unique(theirs["modality"]).to_pylist()]
    for key in keys:
        mine, yours = _right_by_product(ours, key), _right_by_product(theirs, key)
        common = sorted(mine.keys() & yours.keys())
        if common:
            first = np.array([mine[product] for product in common], dtype=bool)
            second = np.array([yours[product] for product in common], dtype=bool)
            comparisons.append(compare(key, f"{key} of {other}", first, second))
    return tuple(comparisons)


def _right_by_product(table: pa.Table, key: str) -> dict[tuple[str, str], bool]:
    chosen = table.filter(pc.and_(pc.equal(table["modality"], key), pc.equal(table["repeat"], 0)))
    columns = [chosen[name].to_pylist() for name in ("product_id", "label", "predicted")]
    return {(product, label): label == predicted for product, label, predicted in zip(*columns, strict=True)}
