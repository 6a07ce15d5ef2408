"""Rows of Open Food Facts exports and dumps: the record itself is read as the API's records are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from include.schema import Product, Rejection
from include.sources.catalogue.damaged_text import mark_lost_characters
from include.sources.catalogue.fields import UnusableRow, id_of, text_flags
from include.sources.catalogue.row_file import Row
from include.sources.openfoodfacts import OpenFoodFacts
from include.sources.openfoodfacts_record import parse_product

ATTRIBUTION = OpenFoodFacts.attribution

_OWN_COLUMNS = frozenset(
    {
        "brands", "generic_name", "ingredients_text", "nutriments", "categories_tags", "countries_tags",
        "nutrition_grade_fr", "nutriscore_grade", "nova_group", "main_category_fr", "image_front_url",
        "last_modified_t", "energy_100g", "product_name_fr", "product_name_en",
    }
)  # fmt: skip
_CATEGORY_COLUMNS = ("main_category_fr", "main_category_en", "main_category")


def is_openfoodfacts(columns: Sequence[str]) -> bool:
    """Whether the columns are those of an export or dump: `code` and at least two that nobody else has."""
    return "code" in columns and len(_OWN_COLUMNS.intersection(columns)) >= 2


def parse_export_row(row: Row, source: str, position: str) -> Product | Rejection:
    """The row as a Product, or as a Rejection with one of the codes of `openfoodfacts_record.parse_product`.

    Where there is no `categories` column, the export's main category is `source_category`.
    """
    try:
        identity = id_of(row, "code")
    except UnusableRow as problem:
        return problem.to_rejection(source, row.get("code"), row, position)
    marked = {key: _marked(value) for key, value in row.items()}
    record = parse_product(marked | {"code": identity}, source, position)
    if isinstance(record, Rejection):
        return replace(record, raw=row)
    category = record.source_category or next(
        (marked[column] for column in _CATEGORY_COLUMNS if isinstance(marked.get(column), str)), None
    )
    lost = text_flags(record.name, record.brand, record.description, record.ingredients)
    return replace(record, source_category=category, flags=record.flags + lost)


def _marked(value: Any) -> Any:
    return mark_lost_characters(value) if isinstance(value, str) else value
