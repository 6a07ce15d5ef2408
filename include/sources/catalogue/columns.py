"""Which column of a plain catalogue means what: given by the user, or guessed from common names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields

from include.errors import CatalogueRefused, ConfigurationError

_COMMON_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        "product_id", "native_id", "uniq_id", "unique_id", "food_id", "item_id", "id", "sku", "asin", "gtin",
        "ean", "ean13", "upc", "barcode", "code", "code_barre", "code_barres", "reference", "ref", "pid",
    ),
    "name": (
        "product_name", "item_name", "name", "title", "designation", "libelle", "nom", "nom_produit", "label",
        "product", "produit",
    ),
    "brand": ("brand", "brands", "brand_name", "marque", "marques", "manufacturer", "fabricant"),
    "description": (
        "description", "product_description", "long_description", "generic_name", "descriptif", "details", "about",
    ),
    "ingredients": (
        "ingredients", "ingredients_text", "ingredient_list", "food_contents_label", "composition", "contents",
    ),
    "category": (
        "category", "product_category", "category_name", "categorie", "categories", "main_category", "department",
        "rayon", "product_type", "class",
    ),
    "image": (
        "image", "image_path", "image_file", "image_url", "image_link", "photo", "photo_url", "picture", "img",
        "img_url", "thumbnail",
    ),
    "url": ("url", "product_url", "link", "page", "page_url", "lien"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Names of the columns of a plain catalogue; a field that is None has no column.

    Example: `ColumnMapping(id="sku", name="title", category="kind")`.
    """

    id: str
    name: str | None = None
    brand: str | None = None
    description: str | None = None
    ingredients: str | None = None
    category: str | None = None
    image: str | None = None
    url: str | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnMapping:
        """A mapping written as `id=sku,name=title,category=kind`; ConfigurationError if it is not one."""
        known = [field.name for field in fields(cls)]
        given: dict[str, str] = {}
        for part in text.split(","):
            field, equals, column = (piece.strip() for piece in part.partition("="))
            if not equals or field not in known or not column or field in given:
                raise ConfigurationError(
                    f"column mapping: {part.strip()!r} is not FIELD=COLUMN with a FIELD of {', '.join(known)}, "
                    "each at most once; for example id=sku,name=title,category=kind"
                )
            given[field] = column
        if "id" not in given:
            raise ConfigurationError("column mapping: say which column holds the id, for example id=sku,name=title")
        return cls(**given)

    @classmethod
    def guess(cls, columns: Sequence[str]) -> ColumnMapping | None:
        """The mapping that common column names suggest; None without an id, or without a name or other text.

        Case, accents, spaces and punctuation do not count: `Product Name` and `productName` are `product_name`.
        """
        by_plain_name = {_plain(column): column for column in reversed(columns)}
        found = {
            field: by_plain_name[name]
            for field, names in reversed(_COMMON_NAMES.items())
            for name in reversed(names)
            if name in by_plain_name
        }
        if "id" not in found or not found.keys() & {"name", "description", "ingredients"}:
            return None
        return cls(**found)

    def check(self, columns: Sequence[str], file_name: str) -> None:
        """CatalogueRefused if a named column is not in the file, or is there twice."""
        for field in fields(self):
            column = getattr(self, field.name)
            if column is not None and list(columns).count(column) != 1:
                times = list(columns).count(column)
                raise CatalogueRefused(
                    f"{file_name}: line 1: {times or 'no'} columns named {column!r}; expected one for the "
                    f"field {field.name!r}. {listed(columns)}"
                )


def listed(columns: Sequence[str]) -> str:
    """The columns of a file for a message, at most 40 of them."""
    shown = ", ".join(repr(column[:60]) for column in columns[:40])
    more = f" and {len(columns) - 40} more" if len(columns) > 40 else ""
    return f"Columns found: {shown}{more}."


def _plain(column: str) -> str:
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column)
    without_accents = unicodedata.normalize("NFKD", separated).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", without_accents.lower()).strip("_")
