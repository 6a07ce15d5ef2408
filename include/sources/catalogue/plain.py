"""Rows of a plain catalogue, read through a column mapping."""

from __future__ import annotations

from include.schema import Product, Rejection
from include.sources.catalogue.columns import ColumnMapping
from include.sources.catalogue.fields import UnusableRow, address_of, id_of, text_flags, text_of
from include.sources.catalogue.flipkart import first_of_list
from include.sources.catalogue.row_file import Row


def parse_plain_row(row: Row, mapping: ColumnMapping, source: str, position: str) -> Product | Rejection:
    """The row as a Product, or as a Rejection with `no_id`, `no_name`, `code_damaged` or `wrong_type`.

    A row without a name goes on if it has other text or a photo.
    """
    try:
        return _product(row, mapping, source)
    except UnusableRow as problem:
        return problem.to_rejection(source, row.get(mapping.id), row, position)


def _product(row: Row, mapping: ColumnMapping, source: str) -> Product:
    identity = id_of(row, mapping.id)
    name, brand = text_of(row, mapping.name), text_of(row, mapping.brand)
    description, ingredients = text_of(row, mapping.description), text_of(row, mapping.ingredients)
    image = first_of_list(address_of(row, mapping.image))
    if not (name or description or ingredients or image):
        raise UnusableRow("no_name", "the row has neither name, description, ingredients nor photo")
    return Product(
        source=source,
        native_id=identity,
        name=name,
        brand=brand,
        description=description,
        ingredients=ingredients,
        source_category=text_of(row, mapping.category),
        url=address_of(row, mapping.url),
        image_url=image,
        flags=text_flags(name, brand, description, ingredients),
    )
