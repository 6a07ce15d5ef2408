"""Which records are set aside, with every reason, and that none is ever lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.quality.reasons import REASONS
from include.quality.row_rules import RowLimits, RowRules
from include.schema import PRODUCTS, QUARANTINE, Product, Rejection

GOOD = Product("openfoodfacts", "3018333000014", "Champagne brut", brand="Veuve", ingredients="Raisins")
EDAMAM = Product("edamam", "food_a656mk2a5dmqb2adiamu6beihduu", "Champagne")


def judged(records: Iterable[Product | Rejection], chunk_rows: int = 100) -> tuple[list[Product], list[Rejection]]:
    kept: list[Product] = []
    rejected: list[Rejection] = []
    for products, rejections in RowRules().apply(records, chunk_rows):
        kept += products
        rejected += rejections
    return kept, rejected


def reasons(*records: Product) -> tuple[str, ...]:
    """Reasons of the last record of a batch."""
    _, rejected = judged(records)
    return rejected[-1].reasons if rejected else ()


def test_a_good_product_goes_on_as_it_is() -> None:
    assert judged([GOOD, EDAMAM]) == ([GOOD, EDAMAM], [])


BAD = {
    "no_id": [replace(EDAMAM, native_id=" ")],
    "bad_id": [replace(EDAMAM, native_id="two words")],
    "code_damaged": [replace(GOOD, native_id="3.00E+12")],
    "no_name": [replace(GOOD, name=None)],
    "no_text": [replace(GOOD, name=None, ingredients="…")],
    "name_too_long": [replace(GOOD, name="x" * 501)],
    "text_too_long": [replace(GOOD, ingredients="x" * 50_001)],
    "control_characters": [replace(GOOD, name="Champ\x00agne")],
    "duplicate": [GOOD, replace(GOOD, name="Another")],
}
GIVEN_BY_SOURCES = {"wrong_type", "not_json", "unknown_schema_version", "unreadable"}


def test_every_reason_is_reached_by_a_rule_or_given_by_a_source() -> None:
    assert set(BAD) | GIVEN_BY_SOURCES == set(REASONS)


@pytest.mark.parametrize("reason", BAD)
def test_each_bad_record_is_set_aside_for_its_reason(reason: str) -> None:
    kept, rejected = judged(BAD[reason])
    assert len(kept) == len(BAD[reason]) - 1
    assert reason in rejected[0].reasons
    assert len(rejected[0].detail) > 5


@pytest.mark.parametrize(
    "native_id", ["3.00E+12", "3,00E+12", "3E+12", "3018333000014.0", "abc", "30183330000１4", "-3018333000014"]
)
def test_damaged_barcodes_are_recognised(native_id: str) -> None:
    assert reasons(replace(GOOD, native_id=native_id)) == ("code_damaged",)


@pytest.mark.parametrize("native_id", ["x" * 201, "a b", "a\tb", "a\x00b", "a\u202eb", "a\ud800b"])
def test_ids_that_could_mislead_are_set_aside(native_id: str) -> None:
    assert reasons(replace(EDAMAM, native_id=native_id)) == ("bad_id",)


@pytest.mark.parametrize("name", [None, "", "  ", "---", "???", "\u200b", "_", "\u3164", "\U000e0061", "&shy;&nbsp;"])
def test_a_name_without_a_letter_or_digit_is_no_name(name: str | None) -> None:
    assert reasons(replace(GOOD, name=name)) == ("no_name",)


@pytest.mark.parametrize("name", ["1664", "シャンパン", "شمبانيا", "Ω", "é", "7"])
def test_short_and_foreign_names_are_names(name: str) -> None:
    assert reasons(replace(GOOD, name=name)) == ()


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1b", "\x7f", "\x90", "\u202d", "\u202e", "\ud800", "\uffff"])
@pytest.mark.parametrize("field", ["name", "brand", "description", "ingredients", "quantity"])
def test_control_characters_in_any_text_are_found_and_named(character: str, field: str) -> None:
    _, rejected = judged([replace(GOOD, **{field: f"Brut{character}x"})])
    assert rejected[0].reasons == ("control_characters",)
    assert f"{field} holds U+{ord(character):04X}" in rejected[0].detail


@pytest.mark.parametrize("field", ["url", "image_url"])
@pytest.mark.parametrize("address", ["https://x.org/\x00", "https://x.org/\u202egpj.exe", "\ud800", "x" * 2_001])
def test_no_product_is_lost_over_an_address_that_cannot_be_kept(field: str, address: str) -> None:
    kept, rejected = judged([replace(GOOD, **{field: address})])
    assert rejected == []
    assert kept == [replace(GOOD, flags=("bad_address",))]
    assert judged(kept)[0] == kept


def test_control_characters_in_tags_are_found() -> None:
    assert reasons(replace(GOOD, category_tags=("en:wines", "en:\x07"))) == ("control_characters",)


@pytest.mark.parametrize(
    "text", ["two\nlines\r\n", "a\ttab", "\u200fعربي\u202bش\u202c", "soft\u00adhyphen", "\u2067x\u2069"]
)
def test_ordinary_incharacters_stay(text: str) -> None:
    assert reasons(replace(GOOD, description=text)) == ()


def test_limits_are_inclusive() -> None:
    limits = RowLimits()
    at_limit = replace(
        GOOD,
        name="x" * limits.name_characters,
        brand="x" * limits.short_text_characters,
        description="x" * limits.long_text_characters,
        category_tags=("x" * limits.tags_characters,),
    )
    assert reasons(at_limit) == ()
    assert reasons(replace(GOOD, brand="x" * (limits.short_text_characters + 1))) == ("text_too_long",)
    assert reasons(replace(GOOD, category_tags=("x" * limits.tags_characters, "y"))) == ("text_too_long",)


def test_all_reasons_of_a_record_are_collected() -> None:
    bad = replace(GOOD, name=None, ingredients=None, brand="x" * 5_000, description="\x00")
    kept, rejected = judged([GOOD, bad])
    assert kept == [GOOD]
    assert rejected[0].reasons == ("duplicate", "no_name", "no_text", "text_too_long", "control_characters")
    assert rejected[0].detail.count(";") == 4


def test_the_first_good_record_of_an_id_is_kept() -> None:
    nameless = replace(GOOD, name=None)
    kept, rejected = judged([nameless, GOOD, replace(GOOD, brand="Other"), nameless])
    assert kept == [GOOD]
    assert [rejection.reasons for rejection in rejected] == [("no_name",), ("duplicate",), ("duplicate", "no_name")]


def test_identical_duplicates_stay_apart_in_the_quarantine() -> None:
    _, rejected = judged([GOOD] * 5)
    assert len({rejection.to_row()["rejection_id"] for rejection in rejected}) == 4


def test_flags_are_added_to_barcodes_only_and_reject_nothing() -> None:
    records = [
        replace(GOOD, native_id="3018333000015", flags=("from_source",)),
        replace(GOOD, native_id="4087"),
        replace(GOOD, source="openfoodfacts_export", native_id="2000000000008"),
        replace(GOOD, source="flipkart", native_id="4088"),
    ]
    kept, rejected = judged(records)
    assert rejected == []
    assert [product.flags for product in kept] == [
        ("from_source", "check_digit_wrong"),
        ("short_code",),
        ("in_store_code",),
        (),
    ]


def test_flags_are_the_same_when_a_flagged_product_is_judged_again() -> None:
    kept, _ = judged([replace(GOOD, native_id="3018333000015")])
    assert judged(kept)[0] == kept


def test_what_is_set_aside_can_be_brought_back() -> None:
    _, rejected = judged([replace(GOOD, name="x" * 600)])
    assert rejected[0].raw["ingredients"] == "Raisins"
    assert rejected[0].raw["name"] == "x" * 600
    assert rejected[0].position == "record 1"


def test_an_enormous_record_is_cut_in_the_quarantine() -> None:
    huge = {f"field_{number}": "x" * 100_000 for number in range(50)}
    rejection = Rejection("openfoodfacts", "1", ("wrong_type",), "code is a list", huge, "page:1")
    _, rejected = judged([rejection, replace(GOOD, ingredients="y" * 5_000_000)])
    assert [len(json.dumps(row.raw)) < 250_000 for row in rejected] == [True, True]
    assert "(100,000 characters)" in rejected[0].raw["field_0"]
    assert rejected[0].position == "page:1"


def test_a_record_nested_without_end_does_not_stop_the_batch() -> None:
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    _, rejected = judged([Rejection("edamam", None, ("wrong_type",), "not an object", {"record": deep}, "page:1")])
    assert "nested too deeply" in rejected[0].to_row()["raw"]


@pytest.mark.parametrize("depth", [63, 64, 65, 300, 600, 900, 100_000])
def test_a_record_of_any_depth_with_a_control_character_is_written_down(depth: int) -> None:
    deep: object = "\x00\ud800"
    for number in range(depth):
        deep = [deep] if number % 2 else {"a\x00": deep, "b": 1e999}
    raw = {"record": deep, "huge": 10**5_000, "text": "x" * 200_000}
    _, rejected = judged([Rejection("edamam", None, ("wrong_type",), "not an object", raw, "page:1")])
    for rejection in (rejected[0], judged([replace(rejected[0], raw={"record": deep})])[1][0]):
        row = rejection.to_row()
        assert "\\u0000" not in row["raw"]
        json.loads(row["raw"], parse_constant=pytest.fail)
        pa.Table.from_pylist([row], schema=QUARANTINE)
    assert rejected[0].reasons == ("wrong_type",)


@pytest.mark.parametrize("error", [RuntimeError("x"), RecursionError(), KeyError("x"), UnicodeError()], ids=repr)
def test_a_record_on_which_a_rule_fails_is_set_aside_and_told_once(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(product: Product) -> bool:
        if product.name == "bad":
            raise error
        return True

    monkeypatch.setattr(RowRules, "_has_barcode", lambda _self, product: fails(product))
    bad = [replace(GOOD, native_id=f"{number:013}", name="bad") for number in range(3)]
    kept, rejected = judged([GOOD, *bad, Rejection("edamam", "x", ("no_name",), "no label")])
    assert kept == [GOOD]
    assert [rejection.reasons for rejection in rejected] == [("unreadable",)] * 3 + [("no_name",)]
    assert rejected[0].raw["ingredients"] == "Raisins"
    assert rejected[0].native_id == bad[0].native_id
    assert len(caplog.records) == 1
    assert "3 records" in caplog.text
    assert type(error).__name__ in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, MemoryError])
def test_what_concerns_the_whole_process_is_not_kept_by_the_guard(
    stop: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: RowRules, _product: Product) -> bool:
        raise stop

    monkeypatch.setattr(RowRules, "_has_barcode", fails)
    with pytest.raises(stop):
        judged([GOOD])


def test_rejections_of_sources_pass_unchanged_when_they_can_be_written() -> None:
    rejection = Rejection("edamam", "x", ("no_name",), "no label", {"foodId": "x", "nutrients": {"FAT": 1.5}}, "p:1")
    assert judged([rejection]) == ([], [rejection])


def test_records_are_taken_lazily_one_chunk_at_a_time() -> None:
    taken = 0

    def records() -> Iterator[Product]:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield replace(EDAMAM, native_id=f"food_{number}")

    next(RowRules().apply(records(), 10))
    assert taken == 10


def test_a_chunk_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        list(RowRules().apply([], 0))


HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=12),
    st.sampled_from(["Champagne", "3018333000014", "3.00E+12", "\x00", "\ud800", "x" * 501]),
)
MAYBE = st.none() | HOSTILE
HOSTILE_PRODUCTS = st.builds(
    Product,
    source=st.sampled_from(["openfoodfacts", "edamam"]),
    native_id=HOSTILE,
    name=MAYBE,
    brand=MAYBE,
    description=MAYBE,
    ingredients=MAYBE,
    category_tags=st.lists(HOSTILE, max_size=2).map(tuple),
    url=MAYBE,
)
HOSTILE_REJECTIONS = st.builds(
    Rejection,
    source=st.just("edamam"),
    native_id=MAYBE,
    reasons=st.just(("wrong_type",)),
    detail=HOSTILE,
    raw=st.dictionaries(HOSTILE, st.recursive(MAYBE | st.floats(), st.lists, max_leaves=4), max_size=3),
    position=HOSTILE,
)


@settings(deadline=None)
@given(st.lists(HOSTILE_PRODUCTS | HOSTILE_REJECTIONS, max_size=12), st.integers(1, 5))
def test_no_record_vanishes_and_whatever_leaves_can_be_written(
    records: list[Product | Rejection], chunk_rows: int
) -> None:
    chunks = list(RowRules().apply(records, chunk_rows))
    kept = [product for products, _ in chunks for product in products]
    rejected = [rejection for _, rejections in chunks for rejection in rejections]
    assert len(kept) + len(rejected) == len(records)
    assert all(0 <= len(rejections) <= chunk_rows for _, rejections in chunks)
    sizes = [len(products) for products, _ in chunks if products]
    assert all(size == chunk_rows for size in sizes[:-1])
    assert len({product.native_id for product in kept}) == len(kept)
    assert all(rejection.reasons and set(rejection.reasons) <= set(REASONS) for rejection in rejected)

    products = pa.Table.from_pylist([product.to_row() for product in kept], schema=PRODUCTS)
    quarantine = pa.Table.from_pylist([rejection.to_row() for rejection in rejected], schema=QUARANTINE)
    for table in (products, quarantine):
        texts = [value for row in table.to_pylist() for value in row.values() if isinstance(value, str)]
        assert not any("\x00" in text for text in texts)
    for raw in quarantine["raw"].to_pylist():
        assert "\\u0000" not in raw
        json.loads(raw, parse_constant=pytest.fail)


@settings(deadline=None)
@given(st.lists(HOSTILE_PRODUCTS, max_size=8), st.integers(1, 5))
def test_the_verdict_does_not_depend_on_the_chunk_size(records: list[Product], chunk_rows: int) -> None:
    assert judged(records, chunk_rows) == judged(records, 100)


def test_real_champagne_products_are_all_kept(shared_data: Path) -> None:
    with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    records = [
        Product("openfoodfacts", row["code"], row["product_name"], ingredients=row.get("ingredients_text"))
        for row in rows
    ]
    kept, rejected = judged(records)
    champagne = {row["code"] for row in rows if row.get("_extract") == "champagne_rows"}
    assert champagne <= {product.native_id for product in kept}
    # One ingredients text holds U+0090, the rest of a wrong decoding.
    assert [rejection.reasons for rejection in rejected] == [("control_characters",)]
