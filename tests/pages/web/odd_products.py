"""A few labelled products for tests of pages: their texts are what somebody who means harm would write."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pyarrow as pa
from PIL import Image
from sqlalchemy import Engine

from include.schema import IMAGES, LABELS, PRODUCTS, REASONS, REFERENCES, text_hash
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.loading import load_day
from include.warehouse.search_index import refresh_search
from tests.warehouse.rows import labelled_row, trusted_table

SOURCE = "openfoodfacts"
DAY = date(2026, 1, 5)
NAMES = (
    "Champagne brut réserve",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}} vinaigre",
    "=cmd|' /C calc'!A0",
    "facture\u202efdp.exe",
    None,
    "cuvée' OR true --",
)
"""Names of the products, in the order of their numbers."""
REFERENCE_LIST = "a1"


def product_id(number: int) -> str:
    """Id of the product with a number."""
    return f"{SOURCE}:{3_000_000_000_000 + number}"


def odd_row(number: int) -> dict[str, Any]:
    """A row of `schema.LABELS`: even numbers have a photo, every fourth is for review."""
    has_photo = number % 2 == 0
    changes: dict[str, Any] = {"url": "javascript:alert(1)"} if number == 1 else {}
    return labelled_row(
        number,
        SOURCE,
        name=NAMES[number],
        brand="<b>Maison</b>",
        ingredients=f"<i>raisin</i> {number}",
        label="vinegar" if number == 3 else "champagne",
        decision="review" if number % 4 == 0 else "accepted",
        confidence=0.5 if number % 4 == 0 else 0.97,
        flags=["check_digit_wrong"] if number == 2 else [],
        photo_status="ok" if has_photo else "not_found",
        photo_sha256=text_hash(f"photo {number}") if has_photo else None,
        modality="fusion" if has_photo else "text",
        **changes,
    )


def load_odd_products(engine: Engine, lake: Lake) -> None:
    """Put the products into a warehouse and a lake, with their photos and with the reasons of number 0."""
    batch = Batch(SOURCE, DAY)
    rows = [odd_row(number) for number in range(len(NAMES))]
    products = pa.Table.from_pylist([{name: row[name] for name in PRODUCTS.names} for row in rows], schema=PRODUCTS)
    lake.write_parquet(batch.file(Layer.PRODUCTS), products)
    lake.write_parquet(batch.file(Layer.LABELS), pa.Table.from_pylist(rows, schema=LABELS))
    lake.write_parquet(batch.file(Layer.IMAGES), pa.Table.from_pylist([_image(row) for row in rows], schema=IMAGES))
    lake.write_parquet(batch.file(Layer.REASONS), pa.Table.from_pylist([_reasons()], schema=REASONS))
    path = f"{Layer.REFERENCES}/list={REFERENCE_LIST}/part-00000.parquet"
    lake.write_parquet(path, pa.Table.from_pylist(_references(), schema=REFERENCES))
    trusted = trusted_table((product_id(2), "champagne", "source_tag"))
    load_day(engine, lake, SOURCE, DAY, labels_path=batch.file(Layer.LABELS), quarantine_path=None, trusted=trusted)
    refresh_search(engine)


def _image(row: dict[str, Any]) -> dict[str, Any]:
    image = {name: row.get(name) for name in IMAGES.names} | {"status": row["photo_status"]}
    if row["photo_status"] != "ok":
        return image
    stream = io.BytesIO()
    Image.new("RGB", (300, 400), (90, 120, 60)).save(stream, "JPEG")
    return image | {"sha256": row["photo_sha256"], "width": 300, "height": 400, "bytes": stream.getvalue()}


def _reasons() -> dict[str, Any]:
    return {
        "product_id": product_id(0),
        "model_version": "1",
        "text_labels": [{"label": "champagne", "probability": 0.55}, {"label": "vinegar", "probability": 0.3}],
        "photo_labels": [{"label": "still_wine", "probability": 0.61}],
        "rule": "biscuits, <b>by the name</b>",
        "rule_label": "biscuit",
        "needed_confidence": 0.93,
        "review_reasons": ["uncertain"],
        "neighbours": [{"reference": 0, "similarity": 0.91}, {"reference": 1, "similarity": 0.4}],
        "reference_list": REFERENCE_LIST,
    }


def _references() -> list[dict[str, Any]]:
    with_photo = {"photo_sha256": text_hash("photo 2"), "photo_day": DAY}
    return [
        dict.fromkeys(REFERENCES.names)
        | {"product_id": product_id(2), "label": "champagne", "origin": "human", "name": NAMES[2]}
        | with_photo,
        dict.fromkeys(REFERENCES.names)
        | {"product_id": "flipkart:<u>1</u>", "label": "watches", "origin": "catalogue", "name": "Watch"},
    ]
