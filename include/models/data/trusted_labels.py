"""Trusted labels of products by a source or a written rule, each with its origin.

Labels by people are in the warehouse and take precedence over these. Labels that the platform predicted are not
trusted labels.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import pyarrow as pa

from include.models.decision.written_rules import RULE_COLUMNS, rule_labels
from include.schema import LabelOrigin
from include.taxonomy import Taxonomy

_Value = TypeVar("_Value", bound=Hashable)

TRUSTED_LABELS = pa.schema(
    [
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
    ]
)
"""One row per product and origin of a label."""


def trusted_labels(products: pa.Table, taxonomy: Taxonomy) -> pa.Table:
    """The trusted labels of `products` (rows of `schema.PRODUCTS`) as rows of `TRUSTED_LABELS`.

    A product can have a label from its catalogue and one from its tags, which may differ: the most trusted origin
    counts. Written rules are applied only to products with neither. Rows of an origin are in the order of the products.
    """
    product_ids = products["product_id"].to_pylist()
    by_catalogue = _label_distinct(products["source_category"].to_pylist(), taxonomy.label_from_catalogue)
    tags = [tuple(listed) if listed else None for listed in products["category_tags"].to_pylist()]
    by_tags = _label_distinct(tags, taxonomy.label_from_tags)
    unlabelled = [
        position
        for position, labels in enumerate(zip(by_catalogue, by_tags, strict=True))
        if labels[0] is None and labels[1] is None
    ]
    by_rules = rule_labels(products.select(list(RULE_COLUMNS)).take(pa.array(unlabelled, pa.int64())), taxonomy)
    return pa.concat_tables(
        [
            _rows(product_ids, by_catalogue, "catalogue"),
            _rows(product_ids, by_tags, "source_tag"),
            _rows([product_ids[position] for position in unlabelled], by_rules, "rule"),
        ]
    )


def _label_distinct(
    values: Sequence[_Value | None], label_of: Callable[[_Value | None], str | None]
) -> list[str | None]:
    """The label of each value, computed once for each distinct value."""
    known = {value: label_of(value) for value in set(values)}
    return [known[value] for value in values]


def _rows(product_ids: Sequence[str], labels: Sequence[str | None], origin: LabelOrigin) -> pa.Table:
    labelled = [(product_id, label) for product_id, label in zip(product_ids, labels, strict=True) if label is not None]
    columns = [[product_id for product_id, _ in labelled], [label for _, label in labelled], [origin] * len(labelled)]
    return pa.table(
        [pa.array(values, pa.string()) for values in columns],
        schema=TRUSTED_LABELS,
    )
