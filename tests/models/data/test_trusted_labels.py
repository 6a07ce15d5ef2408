from __future__ import annotations

import pyarrow as pa

from include.models.data.trusted_labels import TRUSTED_LABELS, trusted_labels
from include.schema import LABEL_ORIGINS, PRODUCTS, Product
from include.taxonomy import load_taxonomy


def products(*described: Product) -> pa.Table:
    return pa.Table.from_pylist([product.to_row() for product in described], schema=PRODUCTS)


def labels_of(*described: Product) -> list[tuple[str, str, str]]:
    table = trusted_labels(products(*described), load_taxonomy())
    assert table.schema == TRUSTED_LABELS
    return [(row["product_id"], row["label"], row["origin"]) for row in table.to_pylist()]


def test_each_origin_gives_its_labels():
    found = labels_of(
        Product("flipkart", "1", name="Towel", source_category="Baby Care >> Baby Bath & Skin"),
        Product("openfoodfacts", "2", name="X", category_tags=("en:wines", "en:sparkling-wines", "en:champagnes")),
        Product("openfoodfacts", "3", name="Vinaigre de champagne"),
    )
    assert sorted(found) == [
        ("flipkart:1", "baby_care", "catalogue"),
        ("openfoodfacts:2", "champagne", "source_tag"),
        ("openfoodfacts:3", "vinegar", "rule"),
    ]


def test_labels_of_origins_that_disagree_are_both_kept():
    found = labels_of(
        Product("s", "1", name="Lentilles", source_category="Champagne", category_tags=("en:plant-based-foods",))
    )
    assert sorted(found) == [("s:1", "champagne", "catalogue"), ("s:1", "other_food", "source_tag")]


def test_rules_are_not_applied_where_the_source_gives_a_label():
    found = labels_of(Product("s", "1", name="Vinaigre de champagne", category_tags=("en:sauces",)))
    assert found == [("s:1", "sauce", "source_tag")]


def test_a_product_without_any_origin_has_no_label():
    assert labels_of(Product("s", "1", name="Surprise"), Product("s", "2")) == []


def test_a_batch_without_products_gives_an_empty_table():
    assert labels_of() == []


def test_only_known_origins_are_given():
    table = trusted_labels(products(Product("s", "1", name="Champagne Brut")), load_taxonomy())
    assert set(table["origin"].to_pylist()) <= set(LABEL_ORIGINS)
