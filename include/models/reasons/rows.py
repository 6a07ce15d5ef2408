"""Rows of `schema.REASONS`: why each product of a batch has its label, made of its prediction while that is at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from include.models.decision.calibration import NEVER
from include.models.decision.predictions import MODALITIES, Grounds, Predictions, label_lists, likeliest
from include.models.reasons.nearest import LABELS_COMPARED, Neighbours, nearest
from include.models.reasons.references import ReferenceProducts
from include.models.reasons.sentences import NEVER_ACCEPTED, NOTHING_TO_GO_BY, RULE_DISAGREES, UNCERTAIN, UNFAMILIAR
from include.schema import NEIGHBOUR, REASONS

LABELS_KEPT = 3
"""Likeliest labels that are kept of each input."""
_DIGITS = 4
"""Decimals of a probability: more would only fill the disk."""
_NO_INPUT = MODALITIES.index("none")


@dataclass(frozen=True, eq=False)
class PredictedInputs:
    """What n predictions were made of, in the products' order."""

    product_ids: pa.ChunkedArray | pa.Array
    text_hashes: pa.ChunkedArray | pa.Array
    photo_hashes: pa.ChunkedArray | pa.Array
    rules: pa.ChunkedArray | pa.Array
    """Name of the written rule that applies to each product, or null."""
    rule_labels: pa.ChunkedArray | pa.Array
    text_vectors: np.ndarray
    photo_vectors: np.ndarray


def reason_rows(
    inputs: PredictedInputs, predictions: Predictions, references: ReferenceProducts | None, model_version: str
) -> pa.Table:
    """Rows of `schema.REASONS` in the products' order; without reference products there are no neighbours."""
    grounds = predictions.grounds
    if grounds is None:
        raise ValueError("predictions without grounds have no reasons")
    count = len(predictions)
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "product_id": inputs.product_ids,
        "model_version": _repeated(model_version, count),
        "text_labels": _labels(predictions.label_names, grounds.text, grounds.has_text),
        "photo_labels": _labels(predictions.label_names, grounds.photo, grounds.has_photo),
        "rule": inputs.rules,
        "rule_label": inputs.rule_labels,
        "needed_confidence": pa.array(grounds.needed, pa.float32(), mask=grounds.needed >= NEVER),
        "review_reasons": _review_reasons(predictions, grounds),
        "neighbours": pa.nulls(count, REASONS.field("neighbours").type),
        "reference_list": pa.nulls(count, pa.string()),
    }
    if references is not None:
        found = nearest(
            references,
            likeliest(predictions.probabilities, LABELS_COMPARED),
            {"product_id": inputs.product_ids, "text_hash": inputs.text_hashes, "photo_sha256": inputs.photo_hashes},
            inputs.text_vectors,
            grounds.has_text,
            inputs.photo_vectors,
            grounds.has_photo,
        )
        columns |= {"neighbours": _lists(found), "reference_list": _repeated(references.identity, count)}
    return pa.table([columns[name] for name in REASONS.names], schema=REASONS)


def _repeated(value: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), count)


def _labels(names: tuple[str, ...], probabilities: np.ndarray, present: np.ndarray) -> pa.ListArray:
    positions = likeliest(probabilities, LABELS_KEPT)
    values = np.round(np.take_along_axis(probabilities, positions, axis=1), _DIGITS)
    return label_lists(names, positions, values, ~present)


def _review_reasons(predictions: Predictions, grounds: Grounds) -> pa.ListArray:
    """Codes of what keeps each product from being accepted, lists of text; empty for those that are accepted."""
    nothing = predictions.modality_index == _NO_INPUT
    never = grounds.needed >= NEVER
    raised = {
        NOTHING_TO_GO_BY: nothing,
        UNFAMILIAR: predictions.is_unfamiliar & ~nothing,
        RULE_DISAGREES: predictions.is_contradicted,
        NEVER_ACCEPTED: never & ~nothing,
        UNCERTAIN: ~never & (predictions.confidences < grounds.needed),
    }
    masks = np.stack(list(raised.values()), axis=1)
    rows, codes = np.nonzero(masks)
    names = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(list(raised), pa.string()))
    offsets = np.append(0, np.cumsum(np.bincount(rows, minlength=len(masks))))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names.cast(pa.string()))


def _lists(found: Neighbours) -> pa.ListArray:
    """Neighbours as lists of `schema.NEIGHBOUR`, without the places where there is none."""
    is_there = found.reference >= 0
    pairs = pa.StructArray.from_arrays(
        [pa.array(found.reference[is_there]), pa.array(found.similarity[is_there])], fields=list(NEIGHBOUR)
    )
    return pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(is_there.sum(axis=1))), pa.int32()), pairs)
