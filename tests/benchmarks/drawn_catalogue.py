"""A drawn catalogue for benchmarks: labelled products in the warehouse, and their embeddings in the cache.

Texts have some 60 words, of a vocabulary in which a few words are common and most are rare, as in real ones; names come
in the kinds that the written rules tell apart. Every second product has a photo. Embeddings are those of a few real
documents and photos with noise, so that no two are alike and labels are as mixed as a real day's. What daily batches
keep is there: text features, embeddings, labels and their history.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, text

from include.features.cache import EmbeddingCache
from include.models.version.artefact import Artefact
from include.pipeline.text_features import extract_text_features, store_text_features
from include.schema import LABELS, text_hash
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.copying import copy_batches
from include.warehouse.engine import driver_connection

SOURCE = "openfoodfacts"
FIRST_DAY = date(2024, 1, 1)
DAY_PRODUCTS = 5_000
"""Products of a day, and of a file of embeddings."""
WORDS = 45
"""Words of the ingredients; name, brand and description bring it to some 60."""
_COMMON = """
sucre eau sel farine de blé huile végétale lait écrémé en poudre beurre cacao arôme naturel acide citrique œufs
champagne vin blanc raisin sulfites conservateur émulsifiant lécithine soja sirop glucose fructose amidon maïs
sugar water salt wheat flour vegetable oil cream milk powder natural flavour citric acid eggs vinegar mustard spices
"""
_NAMES = (
    "Champagne brut", "Champagne rosé", "Vinaigre de champagne", "Moutarde au champagne", "Crémant d'Alsace",
    "Biscuits roses de Reims", "Truffes au marc de champagne", "Marc de Champagne", "Sorbet au champagne", "Foie gras",
    "Lentilles rosées de Champagne", "Choucroute au champagne", "Chutney de figues", "Vin rouge de Bordeaux", "Cola",
    "Champagne vinaigrette", "Sauce crémeuse", "Gâteau de fête", "Thé noir", "Saumon fumé", "Jus de raisin pétillant",
)  # fmt: skip


def draw_catalogue(engine: Engine, lake: Lake, artefact: Artefact, products: int, version: str) -> None:
    """Put `products` labelled products of `version` into an empty warehouse, and what is kept of them into the lake.

    Needs an artefact with a photo classifier. A day has `DAY_PRODUCTS` products, cached as one file for each encoder.
    """
    texts = EmbeddingCache(lake, artefact.text_encoder.identity)
    photos = EmbeddingCache(lake, artefact.image_encoder_identity)
    words_known = vocabulary()
    for number in range(0, products, DAY_PRODUCTS):
        count = min(DAY_PRODUCTS, products - number)
        generator = np.random.default_rng(number)
        day = FIRST_DAY + timedelta(days=number // DAY_PRODUCTS)
        rows = [_row(number + one, words, version) for one, words in enumerate(_words(generator, words_known, count))]
        labels = pa.Table.from_pylist(rows, schema=LABELS)
        features, _documents = extract_text_features(labels)
        store_text_features(lake, Batch(SOURCE, day).file(Layer.TEXT_FEATURES), features)
        hashes = features["text_hash"].to_pylist()
        texts.put(hashes, _noisy(generator, artefact.golden.text_vectors[artefact.golden.has_text], count))
        shas = [row["photo_sha256"] for row in rows if row["photo_sha256"]]
        photos.put(shas, _noisy(generator, artefact.golden.image_vectors[artefact.golden.has_photo], len(shas)))
        _load(engine, labels, day)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def vocabulary() -> np.ndarray:
    """Some 50,000 words, the commonest first."""
    generator = np.random.default_rng(0)
    syllables = ["ba", "co", "di", "fe", "gu", "la", "mé", "no", "pri", "ro", "sa", "te", "vu", "zi", "chan", "lin"]
    drawn = ["".join(generator.choice(syllables, size=size)) for size in generator.integers(2, 5, 50_000)]
    return np.array([*_COMMON.split(), *drawn], dtype=object)


def _words(generator: np.random.Generator, vocabulary: np.ndarray, count: int) -> Iterator[list[str]]:
    """The words of each product: the logarithm of a word's rank is evenly drawn, which is Zipf's law."""
    ranks = np.power(float(len(vocabulary)), generator.random((count, WORDS + 10))).astype(np.int64) - 1
    yield from vocabulary[ranks].tolist()


def _row(number: int, words: list[str], version: str) -> dict[str, Any]:
    native_id = f"{3_000_000_000_000 + number}"
    label = ("champagne", "vinegar", "biscuit", "other_food", "still_wine")[number % 5]
    return {
        "product_id": f"{SOURCE}:{native_id}",
        "native_id": native_id,
        "name": f"{_NAMES[number % len(_NAMES)]} {words[0]} n° {number}",
        "brand": f"Maison {words[1]}",
        "description": " ".join(words[2:10]) if number % 3 else None,
        "ingredients": ", ".join(" ".join(words[start : start + 2]) for start in range(10, len(words), 2)),
        "quantity": "75 cl",
        "language": "fr",
        "category_tags": ["en:beverages", "en:alcoholic-beverages", "en:wines", "en:champagnes"],
        "source_category": None,
        "url": f"https://world.openfoodfacts.org/product/{native_id}",
        "image_url": f"https://images.openfoodfacts.org/images/products/{native_id}/front_fr.4.400.jpg",
        "flags": ["check_digit_wrong"] if number % 50 == 0 else [],
        "last_modified": datetime(2024, 1, 1, number % 24, 30, tzinfo=UTC),
        "content_hash": text_hash(native_id),
        "photo_status": "ok" if number % 2 else "not_found",
        "photo_sha256": text_hash(f"photo {number}") if number % 2 else None,
        "label": label,
        "department": "Fine Grocery",
        "confidence": 0.97,
        "decision": "accepted" if number % 5 else "review",
        "top_labels": [{"label": label, "probability": 0.97}, {"label": "sauce", "probability": 0.02}],
        "modality": "fusion" if number % 2 else "text",
        "model_version": version,
    }


def _noisy(generator: np.random.Generator, vectors: np.ndarray, count: int) -> np.ndarray:
    """Vectors drawn from those given with a little noise: float32 (count, dimensions)."""
    chosen = vectors[generator.integers(0, len(vectors), count)]
    spread = 0.1 * chosen.std(axis=1, keepdims=True)
    return (chosen + spread * generator.standard_normal(chosen.shape, dtype=np.float32)).astype(np.float32)


def _load(engine: Engine, labels: pa.Table, day: date) -> None:
    """COPY a day straight into the tables: a load would merge, which an empty warehouse does not need."""
    rows = labels.num_rows
    days = {name: pa.array([day] * rows, pa.date32()) for name in ("first_seen_day", "last_seen_day")}
    added = {
        "source": pa.array([SOURCE] * rows),
        "decided_by": pa.array(["model"] * rows),
        "predicted_label": labels["label"],
        "predicted_confidence": labels["confidence"],
    }
    product = labels
    for name, column in (added | days).items():
        product = product.append_column(name, column)
    given = labels.select(
        ["product_id", "content_hash", "model_version", "label", "confidence", "decision", "modality"]
    )
    history = given.append_column("first_day", days["first_seen_day"]).append_column("last_day", days["last_seen_day"])
    with engine.begin() as connection:
        for table, content in (("labelled_products", product), ("label_history", history)):
            copy_batches(driver_connection(connection), table, content.combine_chunks().to_batches())
