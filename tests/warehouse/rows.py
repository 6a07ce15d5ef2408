"""Rows for tests and benchmarks: labelled products, rejections and trusted labels that look like real ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from include.schema import LABELS, QUARANTINE, text_hash

WINES = (("champagne", 0.97), ("sparkling_wine", 0.02), ("still_wine", 0.01))


def labelled_row(number: int, source: str = "openfoodfacts", **changes: Any) -> dict[str, Any]:
    """One row of `schema.LABELS`; `changes` replaces columns."""
    native_id = f"{3_000_000_000_000 + number}"
    (label, confidence), *_ = WINES
    return {
        "product_id": f"{source}:{native_id}",
        "native_id": native_id,
        "name": f"Champagne brut cuvée n° {number}",
        "brand": f"Maison {number % 997}",
        "description": "Vin mousseux de qualité" if number % 3 else None,
        "ingredients": "Raisin (Chardonnay, Pinot noir), liqueur d'expédition, _sulfites_" * (1 + number % 3),
        "quantity": "75 cl",
        "language": "fr",
        "category_tags": ["en:beverages", "en:alcoholic-beverages", "en:wines", "en:champagnes"],
        "source_category": None,
        "url": f"https://world.openfoodfacts.org/product/{native_id}",
        "image_url": f"https://images.openfoodfacts.org/images/products/{native_id}/front_fr.4.400.jpg",
        "flags": ["check_digit_wrong"] if number % 50 == 0 else [],
        "last_modified": datetime(2026, 1, 5, number % 24, 30, tzinfo=UTC),
        "content_hash": text_hash(native_id),
        "photo_status": "ok" if number % 4 else "not_found",
        "photo_sha256": text_hash(f"photo {number}") if number % 4 else None,
        "label": label,
        "department": "Fine Grocery",
        "confidence": confidence,
        "decision": "accepted" if number % 5 else "review",
        "top_labels": [{"label": name, "probability": probability} for name, probability in WINES],
        "modality": "fusion" if number % 4 else "text",
        "model_version": "1",
    } | changes


def labels_table(numbers: Sequence[int], **changes: Any) -> pa.Table:
    """Rows of `schema.LABELS`, one for each number; the same number is the same product."""
    return pa.Table.from_pylist([labelled_row(number, **changes) for number in numbers], schema=LABELS)


def quarantine_row(number: int, **changes: Any) -> dict[str, Any]:
    """One row of `schema.QUARANTINE`; `changes` replaces columns."""
    return {
        "rejection_id": text_hash(str(number)),
        "native_id": None,
        "reasons": ["no_name"],
        "detail": "the record has no name",
        "raw": '{"code": ""}',
        "position": f"page-1:{number}",
    } | changes


def quarantine_table(*rows: dict[str, Any]) -> pa.Table:
    """Rows of `schema.QUARANTINE`."""
    return pa.Table.from_pylist(list(rows), schema=QUARANTINE)


def trusted_table(*rows: tuple[str, str, str]) -> pa.Table:
    """Trusted labels from (product_id, label, origin)."""
    names = ("product_id", "label", "origin")
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})
