from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.schema import PRODUCTS, QUARANTINE, Product, Rejection
from include.sources.json_text import parse_json
from include.sources.openfoodfacts_image import image_folder
from include.sources.openfoodfacts_record import moment_of_change, parse_product

MINIMAL = {"code": "3018333000014", "product_name": "Brut Réserve"}


def product(**changes: Any) -> Product:
    record = parse_product(MINIMAL | changes, "openfoodfacts")
    assert isinstance(record, Product), record
    return record


def rejection(payload: Any) -> Rejection:
    record = parse_product(payload, "openfoodfacts", "file:1")
    assert isinstance(record, Rejection), record
    return record


def test_a_record_with_code_and_name_alone_is_a_product_with_everything_else_absent() -> None:
    assert product() == Product(
        source="openfoodfacts",
        native_id="3018333000014",
        name="Brut Réserve",
        url="https://world.openfoodfacts.org/product/3018333000014",
    )


def test_a_full_record_keeps_what_each_field_says() -> None:
    record = product(
        brands="Taittinger",
        generic_name=" Vin de Champagne ",
        ingredients_text="Champagne, _sulfites_ &amp; rien",
        quantity="75 cl",
        lang="fr",
        categories_tags=["en:beverages", "en:wines", "en:champagnes"],
        categories="Boissons, Vins, Champagnes",
        url="https://fr.openfoodfacts.org/produit/3018333000014",
        image_front_url="https://images.openfoodfacts.org/images/products/301/833/300/0014/front_fr.4.400.jpg",
        last_modified_t=1_600_000_000,
        schema_version=1003,
        some_new_key={"ignored": True},
    )
    assert record == Product(
        source="openfoodfacts",
        native_id="3018333000014",
        name="Brut Réserve",
        brand="Taittinger",
        description="Vin de Champagne",
        ingredients="Champagne, _sulfites_ &amp; rien",
        quantity="75 cl",
        language="fr",
        category_tags=("en:beverages", "en:wines", "en:champagnes"),
        source_category="Boissons, Vins, Champagnes",
        url="https://fr.openfoodfacts.org/produit/3018333000014",
        image_url="https://images.openfoodfacts.org/images/products/301/833/300/0014/front_fr.4.400.jpg",
        last_modified=datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC),
    )


def test_null_empty_and_blank_mean_absent() -> None:
    keys = ("brands", "generic_name", "ingredients_text", "quantity", "lang", "categories_tags", "categories", "url")
    for nothing in (None, "", "  "):
        assert (
            product(**dict.fromkeys((*keys, "image_url", "images", "schema_version", "last_modified_t"), None))
            == product()
        )
        assert product(**dict.fromkeys(keys, nothing)) == product()


@pytest.mark.parametrize(
    ("code", "native_id"),
    [
        ("00012345", "00012345"),
        (" 20712907 ", "20712907"),
        (3018333000014, "3018333000014"),
        (0, "0"),
        ("7" * 24, "7" * 24),
    ],
)
def test_codes_are_text_and_keep_their_zeros(code: Any, native_id: str) -> None:
    assert product(code=code).native_id == native_id


@pytest.mark.parametrize(
    "code", ["3.00E+12", "3,00E+12", "3E12", 3.00e12, 12.5, 2**53 + 1, -5, "30183ABC", "30/../18", "1" * 33, "３０１８"]
)
def test_a_damaged_code_is_set_aside(code: Any) -> None:
    found = rejection(MINIMAL | {"code": code})
    assert found.reasons == ("code_damaged",)
    assert found.native_id == str(code)[:64]
    assert found.raw["code"] == code


@pytest.mark.parametrize("code", [None, "", "   "])
def test_a_record_without_code_is_set_aside(code: Any) -> None:
    assert rejection(MINIMAL | {"code": code}).reasons == ("no_id",)
    assert product(code=None, _id="0042").native_id == "0042"


@pytest.mark.parametrize("name", [None, "", " \n"])
def test_a_record_without_name_in_any_language_is_set_aside(name: Any) -> None:
    found = rejection({"code": "1", "product_name": name, "product_name_fr": "", "generic_name": "vin"})
    assert (found.reasons, found.native_id, found.position) == (("no_name",), "1", "file:1")


def test_a_name_is_found_in_the_products_language_then_french_then_english_then_any() -> None:
    names = {"product_name": "", "product_name_de": "Sekt", "product_name_fr": "Vin", "product_name_en": "Wine"}
    assert product(**names, lang="de").name == "Sekt"
    assert product(**names).name == "Vin"
    assert product(product_name=None, product_name_pt="Vinho", product_name_it="Vino").name == "Vino"
    assert product(product_name="", abbreviated_product_name="Cuv. Brut").name == "Cuv. Brut"
    assert product(ingredients_text="", ingredients_text_fr="raisin").ingredients == "raisin"


@pytest.mark.parametrize("nothing", ["\u200b", "&nbsp;", "\u3164 ", "&shy;&#8203;"])
def test_a_name_of_what_is_not_seen_is_none_and_another_languages_counts(nothing: str) -> None:
    assert product(product_name=nothing, product_name_fr="Brut", brands=nothing).name == "Brut"
    assert product(product_name="Brut", brands=nothing).brand is None
    assert rejection({"code": "3018333000014", "product_name": nothing}).reasons == ("no_name",)


@pytest.mark.parametrize("version", [995, 999, 1000, 1001, 1002, 1003, 1004, "1003", None])
def test_known_schema_versions_are_read(version: Any) -> None:
    assert product(schema_version=version) == product()


UNKNOWN_VERSIONS = [994, 1005, 2000, -1, 0, "v3", 1002.5, True, [1002], {}, "9" * 400, 10**5_000, math.inf, -0.0]


@pytest.mark.parametrize("version", UNKNOWN_VERSIONS, ids=type)
def test_an_unknown_schema_version_is_read_like_the_newest_and_flagged(version: Any) -> None:
    assert product(schema_version=version) == replace(product(), flags=("unknown_schema_version",))
    assert product(schema_version=version, some_new_field={"a": [1]}).name == product().name


def test_of_an_unknown_schema_version_what_is_not_needed_counts_as_absent() -> None:
    new_shapes = {"brands": [{"name": "Mumm"}], "generic_name": {"fr": "x"}, "quantity": {"value": 75}, "url": [],
                  "categories": {}, "last_modified_t": "2031-05-01", "images": [{"face": "front"}]}  # fmt: skip
    assert product(schema_version=1005, **new_shapes) == product(schema_version=1005)
    assert rejection(MINIMAL | new_shapes).reasons == ("wrong_type",)


@pytest.mark.parametrize(
    ("needed", "reason"),
    [
        ({"code": None}, "no_id"),
        ({"product_name": [{"lang": "fr", "text": "Brut"}]}, "wrong_type"),
        ({"ingredients_text": [1]}, "wrong_type"),
        ({"categories_tags": {"a": 1}}, "wrong_type"),
    ],
)
def test_of_an_unknown_schema_version_a_field_that_is_needed_sets_aside_and_names_the_version(
    needed: dict[str, Any], reason: str
) -> None:
    found = rejection(MINIMAL | needed | {"schema_version": 1005})
    assert found.reasons == (reason, "unknown_schema_version")
    assert "1005" in found.detail


NUMBERS = [math.inf, -math.inf, math.nan, 10**5_000, -(10**5_000), -0.0, 1e308, "1e400", "9" * 5_000, "1e999", True]


@pytest.mark.parametrize("number", NUMBERS, ids=type)
@pytest.mark.parametrize(
    "key", ["code", "_id", "schema_version", "last_modified_t", "quantity", "product_name", "brands", "images", "url"]
)
def test_no_number_raises_wherever_it_stands(key: str, number: Any) -> None:
    for value in (number, [number], {"front_fr": {"rev": number}}, {"selected": {"front": {"fr": {"rev": number}}}}):
        record = parse_product(MINIMAL | {key: value}, "openfoodfacts")
        assert isinstance(record, Product) or len(record.detail) < 500
        assert moment_of_change({"last_modified_t": value}) is None or not isinstance(value, str | list | dict)


def test_an_id_of_the_database_is_no_code() -> None:
    without_code = {key: value for key, value in MINIMAL.items() if key != "code"}
    assert rejection(without_code | {"_id": {"$oid": "57d139e8a1b2c3d4e5f60718"}}).reasons == ("no_id",)
    assert isinstance(parse_product(without_code | {"_id": "42"}, "openfoodfacts"), Product)


@pytest.mark.parametrize(
    "change",
    [
        {"code": ["1"]},
        {"code": {"a": 1}},
        {"code": True},
        {"product_name": 1664},
        {"product_name": ["Brut"]},
        {"ingredients_text": {"fr": "raisin"}},
        {"brands": 7},
        {"brands": [7]},
        {"categories_tags": {"en": "wines"}},
        {"categories_tags": "Vins, Champagnes"},
        {"categories_tags": ["en:wines", None]},
        {"quantity": ["75 cl"]},
        {"last_modified_t": "yesterday"},
        {"last_modified_t": 10**13},
        {"last_modified_t": -1},
        {"last_modified_t": False},
    ],
)
def test_a_wrong_type_is_set_aside_with_the_key_in_the_sentence(change: dict[str, Any]) -> None:
    found = rejection(MINIMAL | change)
    assert found.reasons == ("wrong_type",)
    assert next(iter(change)) in found.detail


@pytest.mark.parametrize("payload", [None, 1, "text", [1], True])
def test_what_is_not_an_object_is_set_aside(payload: Any) -> None:
    assert rejection(payload).reasons == ("wrong_type",)


def test_brands_are_read_in_every_shape() -> None:
    assert product(brands="Mumm, G.H. Mumm").brand == "Mumm, G.H. Mumm"
    assert product(brands=["Mumm", "G.H. Mumm"]).brand == "Mumm, G.H. Mumm"
    assert (
        product(schema_version=1004, brands_tags=["xx:nicolas-feuillatte", "xx:cv"]).brand == "nicolas feuillatte, cv"
    )


def test_tags_come_as_list_or_as_text_each_once() -> None:
    assert product(categories_tags="en:wines,en:champagnes, en:wines").category_tags == ("en:wines", "en:champagnes")
    assert product(categories_hierarchy=["en:wines"]).category_tags == ("en:wines",)


def test_numbers_are_good_for_a_quantity_and_for_times_as_text() -> None:
    assert product(quantity=75).quantity == "75"
    for moment in ("1600000000", "1600000000.0", 1600000000.0):
        assert product(last_modified_t=moment).last_modified == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)


FRONT = "https://images.openfoodfacts.org/images/products/000/002/071/2907/front_{}.400.jpg"


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"image_url": "https://x.org/a.jpg"}, "https://x.org/a.jpg"),
        (
            {"image_front_url": "http://127.0.0.1:8099/a.jpg", "image_url": "https://x.org/b"},
            "http://127.0.0.1:8099/a.jpg",
        ),
        ({"images": {"1": {"sizes": {}}, "front_fr": {"rev": "6", "imgid": "1"}}}, FRONT.format("fr.6")),
        ({"images": {"front_en": {"rev": 5}, "front_de": {"rev": 9}}, "lang": "de"}, FRONT.format("de.9")),
        ({"images": {"front_en": {"rev": 5}, "front_de": {"rev": 9}}}, FRONT.format("en.5")),
        ({"images": {"uploaded": {"1": {}}, "selected": {"front": {"fr": {"rev": 7}}}}}, FRONT.format("fr.7")),
        ({"images": {"selected": {"ingredients": {"fr": {"rev": 7}}}}}, None),
        ({"selected_images": {"front": {"display": {"fr": "https://x.org/f.jpg"}}}}, "https://x.org/f.jpg"),
        ({"selected_images": {"front": {"fr": {"400": "https://x.org/g.jpg"}}}}, "https://x.org/g.jpg"),
        ({"images": []}, None),
        ({"images": {"front_fr": None, "front_en": {"rev": "../../x"}, "front_../x": {"rev": 1}}}, None),
        ({"image_url": 5, "images": "none", "selected_images": [1]}, None),
        ({"image_url": "javascript:alert(1)"}, None),
        ({"image_url": "https://x.org/a\x00.jpg"}, None),
        ({"image_url": "https://x.org/gpj.\u202ea.exe", "images": {"front_fr": {"rev": 6}}}, FRONT.format("fr.6")),
        ({"image_url": f"https://x.org/{'a' * 2_000}"}, None),
        (
            {"selected_images": {"front": {"display": {"fr": "https://x.org/\x00", "en": "https://x.org/e"}}}},
            "https://x.org/e",
        ),
        ({"images": {"front_fr": {"rev": "9" * 4_500}, "front_en": {"rev": 5}}}, FRONT.format("en.5")),
        ({"images": {"front_fr": {"rev": 10**4_500}}}, None),
        ({"images": {"front_fr": {"rev": math.inf}, "front_en": {"rev": -0.0}}}, None),
    ],
)
def test_the_photo_is_found_wherever_it_is_and_never_costs_the_product(fields: dict[str, Any], url: str | None) -> None:
    assert product(code="20712907", **fields).image_url == url


def test_the_path_of_a_photo_has_no_more_zeros_than_thirteen_digits_need() -> None:
    assert image_folder("00000080050100") == image_folder("80050100") == "000/008/005/0100"
    assert image_folder("3760091720116") == "376/009/172/0116"


def test_an_address_of_a_page_that_cannot_be_kept_is_built_instead() -> None:
    assert product(url="https://x.org/\u202e").url == product().url


def test_real_records_are_read(shared_data: Path) -> None:
    folder = shared_data / "openfoodfacts"
    raw = folder / "raw_json"
    nested = json.loads((raw / "product_v0.json").read_text())
    old = parse_product(nested["3123340003023"]["product"], "openfoodfacts")
    assert isinstance(old, Product)
    assert (old.brand, old.language, old.quantity, len(old.category_tags)) == ("Joker", "fr", "1 l", 10)
    for variant in json.loads((raw / "search_null_and_missing_variants.json").read_text()).values():
        record = parse_product(variant["products"][0], "openfoodfacts")
        assert isinstance(record, Product)
        assert (record.native_id, record.name) == ("3274080005003", "Eau de source")
    search = json.loads((raw / "cgi_search_champagne.json").read_text())["products"]
    outcomes = [parse_product(payload, "openfoodfacts") for payload in search]
    nameless = [payload for payload in search if not payload.get("product_name")]
    assert [r.reasons for r in outcomes if isinstance(r, Rejection)] == [("no_name",)] * len(nameless)


def test_every_real_product_is_read(shared_data: Path) -> None:
    lines = (shared_data / "openfoodfacts" / "products.jsonl").read_bytes().splitlines()
    records = [parse_product(parse_json(line), "openfoodfacts") for line in lines]
    products = [record for record in records if isinstance(record, Product)]
    rejected = [record.reasons for record in records if isinstance(record, Rejection)]
    assert len(records) == 6121
    assert set(rejected) <= {("no_name",)}
    assert [p.native_id for p in products] == [
        json.loads(line)["code"] for line in lines if json.loads(line)["product_name"].strip()
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "code", "_id", "product_name", "product_name_fr", "brands", "brands_tags", "images", "selected_images", "lang",
        "image_url", "schema_version", "last_modified_t", "categories_tags", "categories", "quantity", "url",
        "ingredients_text", "generic_name",
    ]
)  # fmt: skip
LIKELY = JSON | st.sampled_from(["1", 1003, {"front": {"fr": {"rev": 3}}}, {"selected": {"front": {"fr": 3}}}, "fr"])


@settings(max_examples=150, deadline=None)
@given(JSON | st.dictionaries(KEYS, LIKELY, max_size=12), st.booleans())
def test_any_json_becomes_a_product_or_a_rejection_that_parquet_can_hold(payload: Any, complete: bool) -> None:
    if complete and isinstance(payload, dict):
        payload = payload | {"code": "42", "product_name": "x"}
    record = parse_product(payload, "openfoodfacts", "f:1")
    pa.Table.from_pylist([record.to_row()], schema=PRODUCTS if isinstance(record, Product) else QUARANTINE)
    if isinstance(record, Rejection):
        assert record.reasons[0] in {"wrong_type", "no_id", "code_damaged", "unknown_schema_version", "no_name"}
