"""The seed's export: a source's first champagne products as a small CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError
from include.schema import Product
from include.settings import Settings
from include.sources.seed_export import write_seed_export
from include.storage.batch import source_folder
from include.storage.lake import Lake
from include.storage.layers import Layer

COLUMNS = ["native_id", "name", "description", "ingredients", "category_tags", "source_category", "image_url"]


def export_first_products(path: Path, source: str, settings: Settings) -> int:
    """Write the first ten products of a source, oldest day first, and return how many there were.

    Columns: foodId, label, category, foodContentsLabel, image. Raises ConfigurationError if there is none.
    """
    lake = Lake(settings.lake_root)
    if not lake.list_files(source_folder(Layer.PRODUCTS, source)):
        raise ConfigurationError(
            f"there are no products of {source} yet: run a day first (`python -m include run-day DAY`)"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        return write_seed_export(_products(lake, source), stream)


def _products(lake: Lake, source: str) -> Iterator[Product]:
    for path in lake.list_files(source_folder(Layer.PRODUCTS, source), ".parquet"):
        with lake.parquet_file(path) as file:
            for batch in file.iter_batches(batch_size=100, columns=COLUMNS):
                for row in batch.to_pylist():
                    yield _product(source, row)


def _product(source: str, row: dict[str, Any]) -> Product:
    return Product(source=source, **row | {"category_tags": tuple(row["category_tags"] or ())})
