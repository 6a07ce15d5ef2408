"""Reading why one product has its label, and the trusted products that it is like, without loading a model.

reasons = reasons_of(lake, "openfoodfacts:3018333000014", "openfoodfacts", date(2026, 1, 5), "3")
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import pyarrow as pa

from include.models.reasons.relabelled import reasons_files
from include.schema import REFERENCES
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.storage.row_lookup import find_row

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a source, a model version and a reference list are called; anything else is in no path of the lake."""
_READERS = 8
"""Files that are looked into at the same time: on S3 each costs some round trips."""


@dataclass(frozen=True)
class LabelProbability:
    """A label with the probability that one input alone gives it."""

    label: str
    probability: float


@dataclass(frozen=True)
class Neighbour:
    """A trusted product that the product is like."""

    product_id: str
    label: str
    """Its trusted label."""
    origin: str
    """Who gave it: one of `schema.LABEL_ORIGINS`."""
    name: str | None
    similarity: float
    """Mean cosine of the embeddings of the inputs, in (0, 1]."""
    photo_sha256: str | None
    photo_day: date | None
    """A day in whose batch of its source the lake has the photo."""

    @property
    def source(self) -> str:
        """Its source, e.g. `openfoodfacts`."""
        return self.product_id.partition(":")[0]


@dataclass(frozen=True)
class ProductReasons:
    """Why a product has the label that a model version gave it."""

    text_labels: tuple[LabelProbability, ...]
    """The likeliest labels by the text alone; empty without a text."""
    photo_labels: tuple[LabelProbability, ...]
    """The likeliest labels by the photo alone; empty without a photo, or for a model without photos."""
    rule: str | None
    """Name of the written rule that applies; None as well where only its label was kept."""
    rule_label: str | None
    needed_confidence: float | None
    """From which confidence the label is accepted; None if it never is."""
    review_reasons: tuple[str, ...]
    """Codes of `sentences.REVIEW_REASONS`; empty for an accepted label."""
    neighbours: tuple[Neighbour, ...]
    """Nearest first."""
    has_references: bool
    """Whether the version has trusted products to compare with: those of earlier releases have none."""


def references_path(identity: str) -> str:
    """The file of a list of reference products: `references/list=<identity>/part-00000.parquet`."""
    return f"{Layer.REFERENCES}/list={identity}/part-00000.parquet"


def reasons_of(lake: Lake, product_id: str, source: str, day: date, model_version: str) -> ProductReasons | None:
    """Why a product has the label that `model_version` gave it; None if that was not kept.

    `source`, `day` and `model_version` are those of its row in `labelled_products`, the day being `last_seen_day`. They
    may be anything: what cannot be a name in the lake is not found.
    """
    if not (_NAME.fullmatch(source) and _NAME.fullmatch(model_version)):
        return None
    row = find_row(lake, Batch(source, day).file(Layer.REASONS), "product_id", product_id)
    if row is None or row["model_version"] != model_version:
        row = _relabelled_row(lake, product_id, source, day, model_version)
    return None if row is None else _reasons(lake, row)


def _relabelled_row(lake: Lake, product_id: str, source: str, day: date, version: str) -> dict[str, Any] | None:
    """The row that the newest relabelling with the version wrote of the product as of the day."""
    paths = reasons_files(lake, version, source, day)
    with ThreadPoolExecutor(_READERS) as readers:
        rows = readers.map(lambda path: find_row(lake, path, "product_id", product_id), paths)
        return next((row for row in rows if row is not None and row["day"] == day), None)


def _reasons(lake: Lake, row: dict[str, Any]) -> ProductReasons:
    references = _references(lake, row["reference_list"])
    return ProductReasons(
        text_labels=_labels(row["text_labels"]),
        photo_labels=_labels(row["photo_labels"]),
        rule=row["rule"],
        rule_label=row["rule_label"],
        needed_confidence=row["needed_confidence"],
        review_reasons=tuple(row["review_reasons"] or ()),
        neighbours=() if references is None else tuple(_neighbours(references, row["neighbours"] or ())),
        has_references=references is not None,
    )


def _labels(pairs: Sequence[dict[str, Any]] | None) -> tuple[LabelProbability, ...]:
    return tuple(LabelProbability(pair["label"], pair["probability"]) for pair in pairs or ())


def _neighbours(references: pa.Table, found: Sequence[dict[str, Any]]) -> list[Neighbour]:
    rows = references.take(pa.array([one["reference"] for one in found], pa.int64())).to_pylist()
    return [
        Neighbour(
            product_id=row["product_id"],
            label=row["label"],
            origin=row["origin"],
            name=row["name"],
            similarity=round(one["similarity"], 3),
            photo_sha256=row["photo_sha256"],
            photo_day=row["photo_day"],
        )
        for row, one in zip(rows, found, strict=True)
    ]


def _references(lake: Lake, identity: str | None) -> pa.Table | None:
    """The reference products of a list; None without a list, or if the lake has lost it."""
    if identity is None or not _NAME.fullmatch(identity):
        return None
    try:
        return _read_references(lake.root, identity, _SameLake(lake))
    except FileNotFoundError:
        return None


class _SameLake:
    """A lake that counts as equal to any other, so that a cache tells lakes apart by their root."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameLake)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4)
def _read_references(_root: str, identity: str, same: _SameLake) -> pa.Table:
    return same.lake.read_parquet(references_path(identity)).select(REFERENCES.names)
