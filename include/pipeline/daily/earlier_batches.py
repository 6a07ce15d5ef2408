"""What earlier runs and earlier days of a source left, which a day's batch is compared with."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from include.quality.row_rules import failed_record
from include.record_guard import RecordGuard
from include.schema import Product, Rejection
from include.storage.batch import Batch, source_folder
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

HISTORY_DAYS = 7
"""Earlier days whose volumes a batch is compared with."""


def stored_products(lake: Lake, batch: Batch, known: Mapping[str, str] | None = None) -> int:
    """Number of products that an earlier run of the day left, without those that an earlier day has just so.

    `known` maps the product ids of earlier days to their content hashes: see `known_content`.
    """
    path = batch.file(Layer.PRODUCTS)
    if not lake.exists(path):
        return 0
    try:
        if not known:
            with lake.parquet_file(path) as file:
                return int(file.metadata.num_rows)
        table = lake.read_parquet(path, ["product_id", "content_hash"])
    except pa.ArrowInvalid as error:
        logger.warning("%s is damaged, and is made again: %s", lake.url(path), error)
        return 0
    pairs = zip(table["product_id"].to_pylist(), table["content_hash"].to_pylist(), strict=True)
    return sum(known.get(product_id) != content_hash for product_id, content_hash in pairs)


def earlier_files(lake: Lake, batch: Batch) -> list[str]:
    """Product files of the batch's source from days before its own, oldest first."""
    folder = batch.folder(Layer.PRODUCTS)
    files = lake.list_files(source_folder(Layer.PRODUCTS, batch.source), ".parquet")
    return [path for path in files if path[: len(folder)] < folder]


def recent_volumes(lake: Lake, batch: Batch) -> list[int]:
    """Numbers of products of up to seven days before the batch's that had any, oldest first."""
    volumes = []
    for path in earlier_files(lake, batch)[-HISTORY_DAYS:]:
        with lake.parquet_file(path) as file:
            volumes.append(int(file.metadata.num_rows))
    return volumes


def known_content(lake: Lake, batch: Batch) -> dict[str, str]:
    """Content hash of each product id as the days before the batch's last saw it."""
    known: dict[str, str] = {}
    for path in earlier_files(lake, batch):
        table = lake.read_parquet(path, ["product_id", "content_hash"])
        known.update(zip(table["product_id"].to_pylist(), table["content_hash"].to_pylist(), strict=True))
    return known


def without_known_content(
    records: Iterable[Product | Rejection], known: dict[str, str], unchanged: Counter[str], guard: RecordGuard
) -> Iterator[Product | Rejection]:
    """Drop products that an earlier day has with the same content (an API that lists everything each day)."""
    for record in records:
        try:
            is_known = isinstance(record, Product) and known.get(record.product_id) == record.content_hash
        except MemoryError:
            raise
        except Exception as error:
            yield failed_record(record, error, guard, str(guard.position))
            continue
        if is_known:
            unchanged["unchanged"] += 1
        else:
            yield record
