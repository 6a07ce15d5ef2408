"""Every real file imports with no row lost, or is refused with the line and what was expected."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from include.errors import CatalogueRefused
from include.pipeline.source_access import photo_limits
from include.schema import Product, Rejection
from include.settings import Settings
from include.sources.catalogue import Catalogue, ColumnMapping, open_catalogue
from include.sources.photos import fetch_photos


def read(catalogue: Catalogue) -> tuple[list[Product], list[Rejection]]:
    records = list(catalogue.read())
    products = [record for record in records if isinstance(record, Product)]
    return products, [record for record in records if isinstance(record, Rejection)]


@pytest.mark.parametrize(
    ("file", "kind", "rows", "reasons"),
    [
        ("flipkart/flipkart_com-ecommerce_sample.csv", "flipkart", 843, {}),
        ("openfoodfacts/products.jsonl", "openfoodfacts", 6121, {}),
        ("openfoodfacts/labelled_fr_12_categories_utf16.csv", "openfoodfacts", 6774, {}),
        ("openfoodfacts/export_tab.csv", "openfoodfacts", 1000, {"no_name": 54}),
        (
            "openfoodfacts/export_excel_damaged_codes.csv",
            "openfoodfacts",
            1470,
            {"code_damaged": 1253, "no_id": 3, "no_name": 2},
        ),
        (
            "openfoodfacts/export_cp1252_decimal_comma.csv",
            "openfoodfacts",
            397,
            {"code_damaged": 367, "no_id": 1, "no_name": 1},
        ),
        ("openfoodfacts/first_10_champagne_products.csv", "plain", 10, {}),
        ("edamam/first_10_champagne_products.csv", "plain", 10, {}),
    ],
)
def test_rows_in_are_products_and_rejections(
    shared_data: Path, file: str, kind: str, rows: int, reasons: dict[str, int]
) -> None:
    catalogue = open_catalogue(shared_data / file)
    products, rejections = read(catalogue)
    assert catalogue.kind == kind
    assert len(products) + len(rejections) == rows
    assert Counter(reason for rejection in rejections for reason in rejection.reasons) == reasons
    positions = [rejection.position for rejection in rejections]
    assert len(set(positions)) == len(positions)
    assert all(rejection.raw and rejection.detail and rejection.source == catalogue.source for rejection in rejections)
    assert {product.source for product in products} == {catalogue.source}


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            "flipkart/broken_resave_ragged.csv",
            r"line 4: double-encoded text \('Â±'\); expected .*; line 11: malformed .* line 9; expected 15 columns",
        ),
        ("grocery/classes.csv", "line 1: .*expected .*Columns found: 'Class Name .str.', 'Class ID .int.'"),
        ("grocery/train.txt", "line 1: .*Columns found: 'train/Fruit/Apple"),
        ("grocery/LICENSE", "line 1: one column found .'MIT License'.; expected a header"),
        ("openfoodfacts/categories.full.json.gz", "line 1: .*and 12611 more"),
        ("openfoodfacts/raw_json/api_v2_search.json", "line 1: not a whole JSON object; expected one per line"),
        ("openfoodfacts/raw_json/cgi_search_champagne.json", "line 1: .*expected one per line"),
        ("openfoodfacts/raw_json/product_v0.json", "line 1: .*expected one per line"),
        ("openfoodfacts/raw_json/search_null_and_missing_variants.json", "line 1: .*expected one per line"),
        ("edamam/parser_champagne.json", "line 1: .*expected one per line"),
        ("weights/coral_mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", "not a text file. Accepted are CSV"),
        ("flipkart/images/64d5d4a258243731dc7bbb1eef49ad74.jpg", "not a text file. Accepted are CSV"),
        ("flipkart", "cannot be read"),
        ("absent.csv", "cannot be read .No such file"),
    ],
)
def test_what_is_no_catalogue_is_refused(shared_data: Path, file: str, message: str) -> None:
    with pytest.raises(CatalogueRefused, match=message):
        open_catalogue(shared_data / file)


def test_the_flipkart_catalogue_has_departments_text_and_photos(shared_data: Path, tmp_path: Path) -> None:
    catalogue = open_catalogue(shared_data / "flipkart" / "flipkart_com-ecommerce_sample.csv")
    products, _ = read(catalogue)
    assert (catalogue.source, catalogue.photo_folder) == ("flipkart", shared_data / "flipkart" / "images")
    departments = Counter((product.source_category or "").split(" >> ")[0] for product in products)
    assert sorted(departments) == [
        "Baby Care", "Beauty and Personal Care", "Computers", "Home Decor & Festive Needs", "Home Furnishing",
        "Kitchen & Dining", "Watches",
    ]  # fmt: skip
    assert all(product.name and product.description for product in products)
    assert "=>" not in "".join(product.description or "" for product in products)
    photos = fetch_photos(
        [product.image_url for product in products],
        photo_limits(Settings(state_dir=tmp_path)),
        allow_private_hosts=False,
        photo_folder=catalogue.photo_folder,
    )
    assert Counter(photo.status for photo in photos) == {"ok": 840, "not_found": 3}


def test_the_french_catalogue_names_its_twelve_categories_and_keeps_leading_zeros(shared_data: Path) -> None:
    products, _ = read(open_catalogue(shared_data / "openfoodfacts" / "labelled_fr_12_categories_utf16.csv"))
    assert len({product.source_category for product in products}) == 12
    assert products[0].native_id == "00018999"
    assert products[0].source_category == "Petit-déjeuners"
    assert products[1].name == "Pur Soup' Velouté de légumes"


def test_the_official_export_brings_category_tags_general_to_specific(shared_data: Path) -> None:
    products, _ = read(open_catalogue(shared_data / "openfoodfacts" / "export_tab.csv"))
    assert products[0].native_id == "00000000000000225"
    assert products[0].category_tags[0] == "en:plant-based-foods-and-beverages"
    assert products[0].category_tags[-1] == "en:spinach-young-leaves"


def test_letters_that_an_earlier_program_destroyed_are_marked(shared_data: Path) -> None:
    products, rejections = read(open_catalogue(shared_data / "openfoodfacts" / "export_cp1252_decimal_comma.csv"))
    assert all(product.flags == ("characters_lost",) for product in products)
    assert "ï¿½" not in "".join(f"{product.name} {product.ingredients}" for product in products)
    assert rejections[0].native_id == "7,6223E+12"


def test_the_edamam_export_is_understood_without_a_mapping(shared_data: Path) -> None:
    products, _ = read(open_catalogue(shared_data / "edamam" / "first_10_champagne_products.csv"))
    assert products[1].native_id == "food_b753ithamdb8psbt0w2k9aquo06c"
    assert products[1].name == "Champagne Vinaigrette, Champagne"
    assert (products[1].ingredients or "").startswith("OLIVE OIL; BALSAMIC")
    assert products[0].image_url == "https://www.edamam.com/food-img/a71/a718cf3c52add522128929f1f324d2ab.jpg"


def test_a_mapping_opens_a_catalogue_whose_columns_say_nothing(shared_data: Path, tmp_path: Path) -> None:
    mapping = ColumnMapping(
        id="Class ID (int)",
        name="Class Name (str)",
        category="Coarse Class Name (str)",
        image="Iconic Image Path (str)",
    )
    catalogue = open_catalogue(shared_data / "grocery" / "classes.csv", mapping=mapping, source="grocery")
    products, rejections = read(catalogue)
    assert (len(products), rejections) == (81, [])
    photos = fetch_photos(
        [product.image_url for product in products[:9]],
        photo_limits(Settings(state_dir=tmp_path)),
        allow_private_hosts=False,
        photo_folder=catalogue.photo_folder,
    )
    assert {photo.status for photo in photos} == {"ok"}
