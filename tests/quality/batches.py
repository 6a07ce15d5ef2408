"""Batches for the tests of batch rules and reports, written to a lake as the pipeline writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from include.pipeline.daily.batch_report import BatchReport, report_batch
from include.pipeline.daily.validate import batch_limits
from include.quality.barcode import has_right_check_digit
from include.quality.checkpoint import BatchCounts, validate_labels, validate_products
from include.quality.row_rules import RowRules
from include.schema import LABELS, PRODUCTS, QUARANTINE, Product, Rejection
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

SOURCE = "openfoodfacts"
DAY = date(2026, 3, 1)
LABEL_NAMES = ("champagne", "still_wine", "vinegar")
PRODUCTS_PATH = Batch(SOURCE, DAY).file(Layer.PRODUCTS)
QUARANTINE_PATH = Batch(SOURCE, DAY).file(Layer.QUARANTINE)


def good_products(count: int) -> list[Product]:
    """Products that break no rule; every tenth has a short code, `10`, `20`, …"""
    good = Product(
        SOURCE,
        "",
        "Champagne brut",
        ingredients="Raisins",
        language="fr",
        last_modified=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )
    return [replace(good, native_id=barcode(number) if number % 10 else str(number)) for number in range(1, count + 1)]


def barcode(number: int) -> str:
    """A GTIN-13 whose check digit fits."""
    body = f"301{number:09d}"
    return next(body + digit for digit in "0123456789" if has_right_check_digit(body + digit))


def nameless(count: int, start: int = 10_000) -> list[Product]:
    """Products that the row rules set aside."""
    return [Product(SOURCE, str(start + number), None, ingredients="Sucre") for number in range(count)]


def write_batch(lake: Lake, records: Iterable[Product | Rejection], row_group_rows: int = 40) -> BatchCounts:
    """Apply the row rules, write both files, and count."""
    kept: list[Product] = []
    rejected: list[Rejection] = []
    for products, rejections in RowRules().apply(records, 1_000):
        kept += products
        rejected += rejections
    products_table = pa.Table.from_pylist([product.to_row() for product in kept], schema=PRODUCTS)
    quarantine_table = pa.Table.from_pylist([rejection.to_row() for rejection in rejected], schema=QUARANTINE)
    lake.write_parquet(PRODUCTS_PATH, products_table, row_group_rows)
    lake.write_parquet(QUARANTINE_PATH, quarantine_table, row_group_rows)
    return BatchCounts(
        products=len(kept),
        quarantined=len(rejected),
        reasons=Counter(reason for rejection in rejected for reason in rejection.reasons),
        flags=Counter(flag for product in kept for flag in product.flags),
    )


def validate(
    lake: Lake, counts: BatchCounts, settings: Settings, history: Sequence[int] = (), **more: Any
) -> BatchReport:
    """Run the product checkpoint on what `write_batch` wrote."""
    report = validate_products(
        lake,
        PRODUCTS_PATH,
        QUARANTINE_PATH,
        SOURCE,
        DAY,
        counts=counts,
        history=history,
        limits=batch_limits(settings),
        **more,
    )
    return report_batch(lake, report)


def check_label_files(lake: Lake, paths: Sequence[str]) -> BatchReport:
    """Run the checkpoint of labels on what `LabelledDay.write` wrote."""
    return report_batch(lake, validate_labels(lake, paths, SOURCE, DAY, LABEL_NAMES))


@dataclass(frozen=True)
class LabelledDay:
    """Products of a day with a faultless label each, to be spoiled by a test."""

    products: list[Product]

    def rows(self) -> list[dict[str, Any]]:
        """Rows of `LABELS`."""
        return [
            product.to_row()
            | {
                "photo_status": "no_url",
                "photo_sha256": None,
                "label": LABEL_NAMES[number % len(LABEL_NAMES)],
                "department": "fine_grocery",
                "confidence": 0.9,
                "decision": "accepted" if number % 4 else "review",
                "top_labels": [],
                "modality": "text",
                "model_version": "1",
            }
            for number, product in enumerate(self.products)
        ]

    @staticmethod
    def write(lake: Lake, rows: list[dict[str, Any]], shards: int = 2) -> list[str]:
        """Write rows as that many shards; returns their paths."""
        paths = []
        loose = pa.schema([field.with_nullable(True) for field in LABELS])
        for shard in range(shards):
            path = Batch(SOURCE, DAY).staged_file(Layer.LABELS, shard)
            lake.write_parquet(path, pa.Table.from_pylist(rows[shard::shards], schema=loose))
            paths.append(path)
        return paths
