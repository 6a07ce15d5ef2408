"""The champagne filter of the feed: which records of a source come in at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.nesting import MAX_DEPTH
from include.schema import Product
from include.taxonomy import Taxonomy


def belongs_to_feed(product: Product, taxonomy: Taxonomy) -> bool:
    """Whether a product is champagne, another wine by its tags, or food made with champagne."""
    categories = [*product.category_tags, *([product.source_category] if product.source_category else [])]
    return taxonomy.is_champagne_product(product.name, product.ingredients, categories)


def could_belong_to_feed(payload: Any, taxonomy: Taxonomy) -> bool:
    """The same question for a record that could not be parsed, answered generously from all texts it holds."""
    texts = list(_texts(payload))
    return taxonomy.is_champagne_product(" ".join(texts), None, texts)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value in its order, as deep as anybody looks; not by recursion, as a record has no such bound."""
    waiting = [(value, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict) and depth < MAX_DEPTH:
            waiting.extend((inner, depth + 1) for inner in reversed(value.values()))
        elif isinstance(value, list) and depth < MAX_DEPTH:
            waiting.extend((inner, depth + 1) for inner in reversed(value))
