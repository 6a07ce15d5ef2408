"""The layer `reasons`: `classify` stages why each product of a shard has its label, `publish` puts a day's in place.

Reasons explain labels and decide nothing: a day whose reasons are missing is published without them, with a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pyarrow as pa

from include.schema import REASONS
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.storage.row_lookup import write_sorted

if TYPE_CHECKING:
    from include.models.reasons.references import ReferenceProducts

logger = logging.getLogger(__name__)

_OF_LABELS = ["product_id", "model_version"]


def keep_references(lake: Lake, references: ReferenceProducts | None) -> None:
    """Have the lake hold the reference products that rows of reasons refer to; they are never changed."""
    from include.models.reasons.reading import references_path

    if references is not None and not lake.exists(path := references_path(references.identity)):
        lake.write_parquet(path, references.table)


def put_reasons_in_place(lake: Lake, batch: Batch, shards: int) -> None:
    """Merge the staged reasons of all shards into the day's file, sorted by product id.

    To be called while the labels of all shards are staged. If a shard has none that belong to its labels, as when
    another release staged them, the day has no reasons: those of earlier labels go.
    """
    target = batch.file(Layer.REASONS)
    if not all(_belong_to_labels(lake, batch, number) for number in range(shards)):
        logger.warning("no reasons are kept: not all shards have them: classify again to have them: batch=%s", batch)
        lake.delete(target)
        return
    with lake.parquet_writer(target, REASONS) as writer:
        write_sorted(writer, _staged(lake, batch, shards), "product_id")


def _staged(lake: Lake, batch: Batch, shards: int) -> Iterator[pa.Table]:
    for number in range(shards):
        yield lake.read_parquet(batch.staged_file(Layer.REASONS, number))


def _belong_to_labels(lake: Lake, batch: Batch, shard: int) -> bool:
    """Whether the staged reasons of a shard are about its staged labels."""
    with suppress(FileNotFoundError):
        reasons = lake.read_parquet(batch.staged_file(Layer.REASONS, shard), _OF_LABELS)
        labels = lake.read_parquet(batch.staged_file(Layer.LABELS, shard), _OF_LABELS)
        return bool(reasons.equals(labels))
    return False
