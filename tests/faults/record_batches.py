"""Whole batches of hostile records, from the landed file to rows, documents and rules; nothing may get lost."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from include.models.decision.written_rules import rule_labels
from include.pipeline.text_features import documents_of
from include.quality.reasons import REASONS
from include.quality.row_rules import RowRules
from include.record_guard import RecordGuard
from include.schema import PRODUCTS, QUARANTINE, Product, Rejection
from include.sources import get_source
from include.sources.edamam_record import parse_food
from include.sources.json_text import parse_json
from include.sources.landing import Landing
from include.storage.batch import Batch
from include.storage.lake import Lake

DAY = date(2026, 3, 14)
START = 1_773_446_400
DELTA = f"openfoodfacts_products_{START}_{START + 86_400}.json.gz"

TAGS = ["en:beverages", "en:wines", "en:champagnes"]
OPENFOODFACTS: list[dict[str, Any]] = [
    {
        "code": "3018333000014", "schema_version": 1003, "lang": "fr", "lc": "fr", "product_name": "Champagne Brut",
        "brands": "Mumm", "generic_name": "Vin de Champagne", "ingredients_text": "raisins de Champagne",
        "quantity": "75 cl", "categories": "Champagnes", "categories_tags": TAGS,
        "url": "https://world.openfoodfacts.org/product/3018333000014",
        "image_front_url": "https://images.example/front.jpg", "image_url": "https://images.example/a.jpg",
        "last_modified_t": START + 5,
    },
    {
        "_id": "20901722", "lc": "en", "product_name_en": "Champagne", "abbreviated_product_name": "Champ.",
        "ingredients_text_en": "champagne grapes", "generic_name_fr": "Champagne", "brands": ["Mumm"],
        "categories_tags": TAGS,
        "selected_images": {"front": {"display": {"fr": "https://x.org/f.jpg"}, "en": {"400": "https://x.org/g.jpg"}}},
        "last_modified_t": str(START + 6),
    },
    {
        "code": "3760091720116", "product_name": "Champagne Rosé", "ingredients_text": "champagne",
        "categories_hierarchy": TAGS, "brands_tags": ["xx:mumm"], "brands_hierarchy": ["xx:mumm"],
        "images": {"front_fr": {"rev": "3"}, "1": {"sizes": {}}, "selected": {"front": {"fr": {"rev": 7}}}},
        "last_modified_t": START + 7,
    },
    {
        "code": "3760091720123", "lang": "de", "product_name_fr": "Champagne", "ingredients_text_fr": "champagne",
        "brands_tags": ["xx:mumm"], "categories_tags": TAGS, "last_modified_t": START + 8,
    },
    {"code": "3760091720130", "abbreviated_product_name": "Champagne", "categories_tags": TAGS, "lang": "fr"},
]  # fmt: skip
EDAMAM: list[dict[str, Any]] = [
    {
        "foodId": "food_a656mk2a5dmqb2adiamu6beihduu", "label": "Champagne", "knownAs": "dry white wine, champagne",
        "brand": "Mumm", "category": "Generic foods", "foodContentsLabel": "champagne; grapes",
        "image": "https://www.edamam.com/food-img/a71/a.jpg", "nutrients": {"ENERC_KCAL": 82.0},
    },
]  # fmt: skip


def openfoodfacts_outcome(lines: Sequence[bytes], folder: str) -> tuple[list[Product], list[Rejection]]:
    """What becomes of the lines of a day's file; AssertionError if a line that speaks of champagne gets lost."""
    landing = Landing(Lake(folder), Batch("openfoodfacts", DAY))
    with landing.open_write(DELTA) as stream:
        stream.write(gzip.compress(b"\n".join(lines), 1))
    landing.complete({"files": [DELTA]})
    return _outcome(landing, len(lines))


def edamam_outcome(foods: Sequence[bytes], folder: str) -> tuple[list[Product], list[Rejection]]:
    """What becomes of the foods of a landed page; AssertionError if one that speaks of champagne gets lost."""
    landing = Landing(Lake(folder), Batch("edamam", DAY))
    hints = b", ".join(b'{"food": ' + food + b"}" for food in foods)
    with landing.open_write("page-00001.json.gz") as stream:
        stream.write(gzip.compress(b'{"hints": [' + hints + b"]}", 1))
    landing.complete({"files": ["page-00001.json.gz"]})
    records = [parse_food(parse_json(food), "edamam") for food in foods]
    ids = {record.native_id for record in records if isinstance(record, Product)}
    rejections = sum(isinstance(record, Rejection) for record in records)
    return _outcome(landing, len(ids) + rejections)  # a food that comes again is passed over


def _outcome(landing: Landing, count: int) -> tuple[list[Product], list[Rejection]]:
    kept: list[Product] = []
    rejected: list[Rejection] = []
    with RecordGuard(landing.source) as guard, guard.watched(10):
        records = get_source(landing.source).read(landing.day, landing, guard)
        for products, rejections in RowRules(guard=guard).apply(records, 5_000):
            kept += products
            rejected += rejections
    assert len(kept) + len(rejected) == count, f"{count} in, {len(kept)} and {len(rejected)} out"
    assert_writable(kept, rejected)
    return kept, rejected


def assert_writable(kept: Sequence[Product], rejected: Sequence[Rejection]) -> None:
    """That Parquet, text and jsonb columns take the rows, and that texts and rules are read from them."""
    products = pa.Table.from_pylist([product.to_row() for product in kept], schema=PRODUCTS)
    quarantine = pa.Table.from_pylist([rejection.to_row() for rejection in rejected], schema=QUARANTINE)
    for table in (products, quarantine):
        for column in table.columns:
            values = [item for value in column.to_pylist() for item in (value if isinstance(value, list) else [value])]
            assert not any("\x00" in value for value in values if isinstance(value, str))
    for raw in quarantine["raw"].to_pylist():
        assert "\\u0000" not in raw
        assert len(raw) < 500_000
        json.loads(raw, parse_constant=_no_json)
    assert all(rejection.reasons and set(rejection.reasons) <= set(REASONS) for rejection in rejected)
    assert len(documents_of(products)) == len(rule_labels(products)) == products.num_rows


def _no_json(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def new_folder() -> str:
    """A folder for a lake that is used once."""
    return tempfile.mkdtemp(prefix="cuvee-faults-")
