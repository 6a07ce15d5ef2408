"""A drawn warehouse for benchmarks of pages: products as they are read, without embeddings or a model.

The same number of products gives the same rows. A few labels are large and many small, most flags are rare, names are
French, English and German, and the words of ingredients follow Zipf's law. Days come in order, from two sources; one
product in five has a photo.

    python -m tests.benchmarks.drawn_warehouse 1000000 postgresql://user:password@host/database
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine, text

from include.schema import LABELS
from include.warehouse.copying import copy_batches
from include.warehouse.engine import driver_connection, open_engine
from include.warehouse.new_products import LABEL_GIVEN
from include.warehouse.search_index import note_change, refresh_search
from tests.benchmarks.drawn_catalogue import vocabulary

FIRST_DAY = date(2024, 1, 1)
DAY_PRODUCTS = 2_500
SOURCES = {"openfoodfacts": 0.92, "edamam": 0.08}
LABELS_DRAWN = {
    "champagne": 0.31, "sparkling_wine": 0.17, "still_wine": 0.14, "vinegar": 0.09, "other_food": 0.08, "biscuit": 0.06,
    "chocolate": 0.05, "sauce": 0.035, "juice": 0.025, "prepared_dish": 0.015, "cheese_charcuterie": 0.01,
    "dessert": 0.006, "spirit": 0.005, "beauty": 0.002, "kitchen_dining": 0.001, "watches": 0.0005, "computers": 0.0003,
    "baby_care": 0.0002,
}  # fmt: skip
DEPARTMENTS = {
    "beauty": "Beauty and Personal Care", "kitchen_dining": "Kitchen & Dining", "watches": "Watches",
    "computers": "Computers", "baby_care": "Baby Care",
}  # fmt: skip
LANGUAGES = {"fr": 0.55, "en": 0.22, "de": 0.12, "es": 0.05, "it": 0.03, "nl": 0.015, "pt": 0.01, "ru": 0.005}
FLAGS = {
    "check_digit_wrong": 0.02, "unfamiliar": 0.015, "rule_disagrees": 0.007, "short_code": 0.003,
    "in_store_code": 0.0005, "characters_lost": 0.0001, "bad_address": 0.00002,
}  # fmt: skip
PHOTOS = {"ok": 0.2, "no_url": 0.72, "not_found": 0.06, "timeout": 0.015, "corrupt": 0.005}
VERSIONS = {"4": 0.88, "3": 0.1, "2": 0.02}
_KINDS = (
    "Champagne brut", "Champagne rosé", "Champagne blanc de blancs", "Crémant d'Alsace", "Vinaigre de champagne",
    "Moutarde au champagne", "Biscuits roses de Reims", "Truffes au marc de champagne", "Sorbet au champagne",
    "Vin rouge de Bordeaux", "Champagne vinaigrette", "Sparkling rosé wine", "Dark chocolate with champagne",
    "Party cake", "White wine vinegar", "Sekt trocken", "Weißweinessig", "Champagnertrüffel", "Apfelsaft",
    "Thé noir", "Saumon fumé", "Jus de raisin pétillant",
)  # fmt: skip


def draw_warehouse(engine: Engine, products: int) -> None:
    """Put labelled products and their history into an empty warehouse, and its batches; the search finds them.

    Statistics of the tables are up to date.
    """
    words = vocabulary()
    for number in range(0, products, DAY_PRODUCTS):
        day = FIRST_DAY + timedelta(days=number // DAY_PRODUCTS)
        rows = _rows(np.random.default_rng(number), words, number, min(DAY_PRODUCTS, products - number), day)
        history = rows.select([*LABEL_GIVEN, "first_seen_day", "last_seen_day"])
        history = history.rename_columns([*LABEL_GIVEN, "first_day", "last_day"])
        with engine.begin() as connection:
            copy_batches(driver_connection(connection), "labelled_products", rows.to_batches())
            copy_batches(driver_connection(connection), "label_history", history.to_batches())
            connection.execute(
                text(
                    "INSERT INTO batches (source, day, kind, status, labelled) "
                    "SELECT source, last_seen_day, 'daily', 'published', count(*) FROM labelled_products "
                    "WHERE source = ANY(:sources) AND last_seen_day = :day GROUP BY 1, 2"
                ),
                {"sources": list(SOURCES), "day": day},
            )
            for source in SOURCES:
                note_change(connection, source, day, day)
    refresh_search(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _rows(generator: np.random.Generator, words: np.ndarray, first: int, count: int, day: date) -> pa.Table:
    """A day's products as rows of `labelled_products`."""
    numbers = np.arange(first, first + count)
    source = _drawn(generator, SOURCES, count)
    label = _drawn(generator, LABELS_DRAWN, count)
    confidence = np.round(1 - 0.6 * generator.random(count) ** 4, 4).astype(np.float32)
    photo = _drawn(generator, PHOTOS, count)
    has_photo = photo == "ok"
    version = _drawn(generator, VERSIONS, count)
    hashes = [f"{number * 0x9E3779B97F4A7C15 % 2**64:064x}" for number in numbers.tolist()]
    native = [f"{3_000_000_000_000 + number}" for number in numbers.tolist()]
    kinds = np.array(_KINDS, dtype=object)[_zipf(generator, len(_KINDS), count)]
    brands = words[_zipf(generator, 3_000, count)]
    columns: dict[str, Any] = {
        "product_id": [f"{one}:{code}" for one, code in zip(source, native, strict=True)],
        "native_id": native,
        "name": [
            f"{kind} {word} {number % 97}"
            for kind, word, number in zip(
                kinds, words[_zipf(generator, len(words), count)], numbers.tolist(), strict=True
            )
        ],
        "brand": [f"Maison {brand}" for brand in brands],
        "description": [f"{kind}, 75 cl" for kind in kinds],
        "ingredients": _sentences(generator, words, count),
        "quantity": ["75 cl"] * count,
        "language": _drawn(generator, LANGUAGES, count),
        "category_tags": [["en:beverages", "en:alcoholic-beverages", "en:wines"]] * count,
        "source_category": [None] * count,
        "url": [f"https://world.openfoodfacts.org/product/{code}" for code in native],
        "image_url": [f"https://images.openfoodfacts.org/images/products/{code}/front.400.jpg" for code in native],
        "flags": _flags(generator, count),
        "last_modified": [None] * count,
        "content_hash": hashes,
        "photo_status": photo,
        "photo_sha256": [one if here else None for one, here in zip(hashes, has_photo, strict=True)],
        "label": label,
        "department": [DEPARTMENTS.get(one, "Fine Grocery") for one in label],
        "confidence": confidence,
        "decision": np.where(confidence < 0.6, "review", "accepted"),
        "top_labels": [[{"label": one, "probability": 0.9}, {"label": "sauce", "probability": 0.05}] for one in label],
        "modality": np.where(has_photo, np.where(generator.random(count) < 0.9, "fusion", "photo"), "text"),
        "model_version": version,
    }
    table = pa.table({name: pa.array(columns[name], LABELS.field(name).type) for name in LABELS.names})
    days = pa.array([day] * count, pa.date32())
    added = {
        "source": pa.array(source), "decided_by": pa.array(["model"] * count), "predicted_label": table["label"],
        "predicted_confidence": table["confidence"], "first_seen_day": days, "last_seen_day": days,
    }  # fmt: skip
    for name, column in added.items():
        table = table.append_column(name, column)
    return table.combine_chunks()


def _drawn(generator: np.random.Generator, shares: dict[str, float], count: int) -> np.ndarray:
    values = np.array(list(shares), dtype=object)
    return values[generator.choice(len(values), count, p=np.array(list(shares.values())) / sum(shares.values()))]


def _zipf(generator: np.random.Generator, size: int, count: int) -> np.ndarray:
    """Ranks from 0 whose logarithm is evenly drawn."""
    return np.power(float(size), generator.random(count)).astype(np.int64) - 1


def _sentences(generator: np.random.Generator, words: np.ndarray, count: int) -> pa.Array:
    lengths = generator.integers(8, 50, count)
    drawn = pa.array(words, pa.string()).take(pa.array(_zipf(generator, len(words), int(lengths.sum()))))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    return pc.binary_join(pa.ListArray.from_arrays(offsets, drawn), ", ")


def _flags(generator: np.random.Generator, count: int) -> list[list[str]]:
    flags: list[list[str]] = [[] for _ in range(count)]
    for name, share in FLAGS.items():
        for row in np.flatnonzero(generator.random(count) < share).tolist():
            flags[row].append(name)
    return flags


if __name__ == "__main__":
    with open_engine(sys.argv[2]) as opened:
        draw_warehouse(opened, int(sys.argv[1]))
