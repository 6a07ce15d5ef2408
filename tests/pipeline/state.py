"""What a day leaves behind, as one comparable value: every file of the lake and every row of the warehouse."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import Engine, text

from include.storage.lake import Lake

LAYERS = (
    "landing", "products", "quarantine", "images", "embeddings", "readings", "labels", "reasons", "references",
    "staging", "reports",
)  # fmt: skip
TABLES = {
    "labelled_products": "product_id",
    "label_history": "product_id, content_hash, model_version",
    "quarantined_products": "source, day, rejection_id",
    "training_labels": "product_id, origin",
    "label_reviews": "product_id",
    "batches": "source, day",
}
MEASURED = {"durations", "updated_at", "reviewed_at"}
"""Columns that say how long or when something was done; a rerun may change them, and nothing else."""


def lake_state(lake: Lake, layers: tuple[str, ...] = LAYERS) -> dict[str, str]:
    """SHA-256 of every file, by its path."""
    return {
        path: hashlib.sha256(lake.read_bytes(path)).hexdigest() for layer in layers for path in lake.list_files(layer)
    }


def warehouse_state(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, without the measured columns."""
    with engine.connect() as connection:
        return {
            table: [
                {name: json.dumps(value, default=str) for name, value in row.items() if name not in MEASURED}
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY {order}")).mappings()  # noqa: S608
            ]
            for table, order in TABLES.items()
        }


def differences(found: dict[str, list[dict[str, Any]]], expected: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What differs between two states of the warehouse, a line each; empty if nothing does."""
    lines = []
    for table, rows in expected.items():
        if len(rows) != len(found[table]):
            lines.append(f"{table}: {len(found[table])} rows, expected {len(rows)}")
            continue
        for one, other in zip(found[table], rows, strict=True):
            lines += [
                f"{table} {list(other.values())[:2]} {name}: {one[name]}, expected {value}"
                for name, value in other.items()
                if one[name] != value
            ]
    return lines
