"""Each row becomes a product or says why not; what its notation hides is brought out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.schema import Product, Rejection
from include.sources.catalogue.columns import ColumnMapping
from include.sources.catalogue.damaged_text import mark_lost_characters
from include.sources.catalogue.flipkart import first_of_list, parse_flipkart_row, read_specifications
from include.sources.catalogue.native_ids import is_rounded_number, native_id
from include.sources.catalogue.openfoodfacts_export import is_openfoodfacts, parse_export_row
from include.sources.catalogue.plain import parse_plain_row

SPECIFICATION = (
    '{"product_specification"=>[{"key"=>"Material", "value"=>"Cotton"}, {"value"=>"20 \\"face\\" towels"}, '
    '{"key"=>"Colour", "value"=>"Blue => green"}]}'
)


def flipkart(**values: Any) -> Product | Rejection:
    return parse_flipkart_row(values, "flipkart", "file.csv:2")


def plain(mapping: ColumnMapping, **values: Any) -> Product | Rejection:
    return parse_plain_row(values, mapping, "wines", "wines.csv:2")


def test_a_flipkart_row_is_read_whole() -> None:
    product = flipkart(
        uniq_id="64d5",
        product_name="Face Towel",
        product_category_tree='["Baby Care >> Baby Bath >> Towels...", "Other >> Path"]',
        product_url="http://www.flipkart.com/x",
        description="Soft cotton.",
        product_specifications=SPECIFICATION,
        image="64d5.jpg",
        brand="Eurospa",
        crawl_timestamp="2016-04-30 03:22:56 +0000",
    )
    assert product == Product(
        source="flipkart",
        native_id="64d5",
        name="Face Towel",
        brand="Eurospa",
        description='Soft cotton; Material: Cotton; 20 "face" towels; Colour: Blue => green',
        language="en",
        source_category="Baby Care >> Baby Bath >> Towels...",
        url="http://www.flipkart.com/x",
        image_url="64d5.jpg",
    )


@pytest.mark.parametrize(
    "photo", [[{"url": "a.jpg"}], {"a": 1}, True, 10**5_000, float("inf"), [1], b"a.jpg"], ids=type
)
def test_no_row_is_lost_over_its_photo_or_its_page(photo: Any) -> None:
    for record in (
        flipkart(uniq_id="1", product_name="Towel", image=photo, product_url=photo),
        plain(ColumnMapping("id", name="name", image="photo", url="page"), id="1", name="a", photo=photo, page=photo),
    ):
        assert isinstance(record, Product)
        assert (record.image_url, record.url) == (None, None)


@pytest.mark.parametrize(
    "number", [float("inf"), float("-inf"), float("nan"), 10**5_000, -(10**5_000), 1e308, -0.0], ids=type
)
def test_no_number_raises_in_a_catalogue_and_none_that_overflows_is_an_id_or_a_name(number: float) -> None:
    mapping = ColumnMapping("id", name="name", brand="brand", image="image")
    by_id = plain(mapping, id=number, name="a")
    by_name = plain(mapping, id="1", name=number, brand=number)
    exports = [parse_export_row({"code": "1", "product_name": "a"} | {key: number}, "off", "f:1") for key in
               ("code", "product_name", "last_modified_t", "schema_version", "quantity", "image_url")]  # fmt: skip
    for record in (by_id, by_name, *exports):
        assert isinstance(record, Product | Rejection)
    if abs(number) != 0 and abs(number) != 1e308:
        assert isinstance(by_id, Rejection)
        assert isinstance(by_name, Rejection)


def test_specifications_are_read_from_a_ruby_hash() -> None:
    assert list(read_specifications(SPECIFICATION)) == [
        ("Material", "Cotton"),
        ("", '20 "face" towels'),
        ("Colour", "Blue => green"),
    ]
    assert list(read_specifications('{"product_specification"=>nil}')) == []
    assert list(read_specifications(None)) == []


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (None, None),
        ('["A >> B"]', "A >> B"),
        ('["A >> B", "C"]', "A >> B"),
        ('["A >> B (20 PIECE', "A >> B (20 PIECE"),
        ("A >> B", "A >> B"),
        ("[]", None),
        ('[""]', None),
        ("[1, 2]", None),
        ("[" * 100_000, None),
    ],
)
def test_the_first_of_a_list_is_found_also_where_it_was_cut(text: str | None, first: str | None) -> None:
    assert first_of_list(text) == first


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"product_name": "a"}, "no_id"),
        ({"uniq_id": "1", "brand": "only a brand"}, "no_name"),
        ({"uniq_id": "3.00E+12", "product_name": "a"}, "code_damaged"),
        ({"uniq_id": ["1"], "product_name": "a"}, "wrong_type"),
        ({"uniq_id": "1", "product_name": {"en": "a"}}, "wrong_type"),
    ],
)
def test_a_row_that_is_no_product_says_why(values: dict[str, Any], reason: str) -> None:
    record = flipkart(**values)
    assert isinstance(record, Rejection)
    assert record.reasons == (reason,)
    assert (record.raw, record.position) == (values, "file.csv:2")
    assert record.to_row()["raw"]


@pytest.mark.parametrize("other", [{"description": "a"}, {"image": "a.jpg"}])
def test_a_row_without_a_name_goes_on_with_what_else_it_has(other: dict[str, str]) -> None:
    assert isinstance(flipkart(uniq_id="1", **other), Product)


@pytest.mark.parametrize("text", ["3.00E+12", "7,6223E+12", "8E+12", "2.02e+11", "5,05399E+12"])
def test_a_number_that_a_spreadsheet_rounded_is_recognised(text: str) -> None:
    assert is_rounded_number(text)
    record = parse_export_row({"code": text, "product_name": "a"}, "off", "a.csv:2")
    assert isinstance(record, Rejection)
    assert (record.reasons, record.native_id) == (("code_damaged",), text)
    assert text in record.detail


@pytest.mark.parametrize("text", ["3018333000014", "12E4", "00018999", "E+12", "food_a656e+1", "1.5", "10E+5"])
def test_other_ids_are_not_taken_for_rounded_numbers(text: str) -> None:
    assert not is_rounded_number(text)


@pytest.mark.parametrize(
    ("value", "identity"),
    [
        ("  007 ", "007"),
        (7, "7"),
        (3018333000014.0, "3018333000014"),
        (float("nan"), None),
        (float("inf"), "INF"),
        (True, None),
        ("", None),
        (None, None),
        ([1], None),
        (1e300, "1.000000E+300"),
    ],
)
def test_ids_become_text_without_inventing_digits(value: Any, identity: str | None) -> None:
    assert native_id(value) == identity


def test_an_export_row_keeps_the_row_as_received_when_set_aside() -> None:
    row = {"code": "0031", "nutriments": {"fat_100g": 1.0}}
    record = parse_export_row(row, "off", "a.jsonl:1")
    assert isinstance(record, Rejection)
    assert (record.reasons, record.raw, record.position) == (("no_name",), row, "a.jsonl:1")


def test_the_main_category_stands_in_where_there_are_no_categories() -> None:
    row = {"code": "0031", "product_name": "a", "main_category_fr": "Soupes"}
    alone = parse_export_row(row, "off", "")
    assert isinstance(alone, Product)
    assert alone.source_category == "Soupes"
    both = parse_export_row(row | {"categories": "Soupes, Veloutés"}, "off", "")
    assert isinstance(both, Product)
    assert both.source_category == "Soupes, Veloutés"


def test_an_export_is_told_from_a_catalogue_that_has_codes_too() -> None:
    assert is_openfoodfacts(["code", "product_name", "brands", "nutriments"])
    assert not is_openfoodfacts(["code", "product_name", "brand", "category"])
    assert not is_openfoodfacts(["product_name", "brands", "nutriments"])


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Nestlï¿½", "Nestl\ufffd"),
        ("Salï¿½ï¿½ï¿½ï¿", "Sal\ufffd"),
        ("Nestlï¿", "Nestl\ufffd"),
        ("a\ufffd\ufffdb", "a\ufffdb"),
        ("naïf ¿no? ½", "naïf ¿no? ½"),
    ],
)
def test_lost_characters_become_one_mark(text: str, marked: str) -> None:
    assert mark_lost_characters(text) == marked


def test_columns_are_guessed_from_common_names_in_any_spelling() -> None:
    guessed = ColumnMapping.guess(["", "Product Id", "Libellé", "Marque", "Catégorie", "imageUrl", "Ingredients"])
    assert guessed == ColumnMapping(
        id="Product Id",
        name="Libellé",
        brand="Marque",
        category="Catégorie",
        image="imageUrl",
        ingredients="Ingredients",
    )


def test_the_more_telling_name_wins() -> None:
    guessed = ColumnMapping.guess(["id", "uniq_id", "label", "product_name"])
    assert guessed == ColumnMapping(id="uniq_id", name="product_name")


@pytest.mark.parametrize("columns", [[], ["name"], ["id", "price"], ["a", "b"]])
def test_too_little_to_guess_from_is_no_mapping(columns: list[str]) -> None:
    assert ColumnMapping.guess(columns) is None


def test_a_mapping_is_written_as_pairs() -> None:
    parsed = ColumnMapping.parse("id=sku, name=Title (en),category=kind")
    assert parsed == ColumnMapping(id="sku", name="Title (en)", category="kind")


@pytest.mark.parametrize("text", ["", "name=title", "id", "id=", "id=a,id=b", "price=p,id=a", "=a"])
def test_a_mapping_that_is_none_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="column mapping"):
        ColumnMapping.parse(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["id", "name", "brand", "code", "image", "uniq_id", "category"]), JSON_VALUES))
def test_any_row_becomes_a_product_or_a_rejection(row: dict[str, Any]) -> None:
    mapping = ColumnMapping(id="id", name="name", brand="brand", image="image", category="category")
    for record in (plain(mapping, **row), flipkart(**row), parse_export_row(row, "off", "a:1")):
        assert isinstance(record, Product | Rejection)
        assert record.to_row()
        if isinstance(record, Product):
            assert record.native_id
            assert "" not in (record.name, record.brand, record.image_url)
