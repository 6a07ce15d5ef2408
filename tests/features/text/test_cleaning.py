"""Cleaning of product texts."""

from __future__ import annotations

import csv
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.features.text import cleaning
from include.features.text.cleaning import MAX_DOCUMENT_CHARACTERS, clean_text, document
from tests.hidden_spellings import HIDDEN_SPELLINGS
from tests.patterns.growth import grows_too_fast

PIECES = [
    "&amp;", "&lt;b&gt;", "&eacute", "<p>", "</", "<", ">", "<!--", "-->", "_", "__lait_", "Rs. 1,299", "Price: ",
    "Buy ", "Flipkart.com:", "Only Genuine Products.", "30 Day Replacement Guarantee", "Key Features of", "online ",
    "\u00ad", "\u200b", "\ufe0f", "\u0336", "ｃ", "&shy;", "&#38;", "free ", "shipping ", "for ", "at ", "rs. ",
    "\u0316",    "\r\n", "\x00", "\ud800", "e\u0301", "\u0958", "œuf", "Brut", " ", ",", "only ", "Also get ",
]  # fmt: skip
hostile_texts = st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3))).map("".join))


@hypothesis_settings(deadline=None)
@given(hostile_texts)
def test_cleaning_any_text_gives_one_line_that_cleaning_leaves_alone(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert "\n" not in cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert len(cleaned) <= MAX_DOCUMENT_CHARACTERS
    cleaned.encode("utf-8")


@hypothesis_settings(deadline=None)
@given(hostile_texts)
def test_a_text_that_is_taken_for_clean_is_clean(text: str) -> None:
    if text and cleaning._is_clean(text):
        assert cleaning._clean_once(text) == text


def test_every_character_that_is_taken_for_clean_is_clean() -> None:
    taken = [one for one in map(chr, range(0x110000)) if cleaning._is_clean(f"a{one}b")]
    assert len(taken) > 100_000
    assert [one for one in taken if cleaning._clean_once(f"a{one}b") != f"a{one}b"] == []


@hypothesis_settings(deadline=None)
@given(st.text(min_size=1, max_size=40), st.integers(500, 3000))
def test_long_texts_are_cut_and_stay_clean(piece: str, times: int) -> None:
    cleaned = clean_text(piece * times)
    assert len(cleaned) <= MAX_DOCUMENT_CHARACTERS
    assert clean_text(cleaned) == cleaned


@hypothesis_settings(deadline=None)
@given(*[st.none() | hostile_texts] * 4)
def test_a_document_is_made_of_any_fields(
    name: str | None, brand: str | None, description: str | None, ingredients: str | None
) -> None:
    made = document(name, brand, description, ingredients)
    assert len(made) <= MAX_DOCUMENT_CHARACTERS
    assert (made == "") == (not any(map(clean_text, (name, brand, description, ingredients))))


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("Dosage 1% by weight, contains _sulfites_", "Dosage 1% by weight, contains sulfites"),
        ("farine de _blé_, _œuf_s", "farine de blé, œufs"),
        ("Suitable_for All_types", "Suitable for All types"),
        ("Mo&euml;t &amp;amp; Chandon", "Moët & Chandon"),
        ("<p>Brut<br/>Ros&eacute;</p>", "Brut Rosé"),
        ("a <!-- b -->c <!-- <b>d</b>", "a c <!-- d"),
        ("a__lait_ _x__y_", "a lait xy"),
        ("at Rs. 5 only only for Rs. 6 from Flipkart.com: buy now", "buy now"),
        ("a < b and c > d", "a < b and c > d"),
        ("cham\u00adpa\u200bgne\r\n\tbrut", "champagne brut"),
        ("Rose\u0301", "Rosé"),
        ("Ceramic Mug (350 g)\r\n      Price: Rs. 299\r\n\t\tA fine mug.", "Ceramic Mug (350 g) A fine mug."),
        (
            "Flipkart.com: Buy Wild Stone Combo Set online only for Rs. 350 from Flipkart.com. Only Genuine Products. "
            "30 Day Replacement Guarantee. Free Shipping. Cash On Delivery!",
            "Wild Stone Combo Set",
        ),
        (
            "Key Features of Baby Cap Cotton,Specifications of Baby Cap Fabric Cotton",
            "Baby Cap Cotton, Baby Cap Fabric Cotton",
        ),
        ("Best Buy of the year", "Best Buy of the year"),
        (None, ""),
    ],
)
def test_what_says_nothing_about_the_product_is_removed(raw: str | None, cleaned: str) -> None:
    assert clean_text(raw) == cleaned


@pytest.mark.parametrize("spelling", HIDDEN_SPELLINGS)
def test_a_hidden_spelling_has_the_document_of_the_plain_one(spelling: str) -> None:
    assert document(f"Truffes au {spelling}", None, "Brut", spelling) == document(
        "Truffes au champagne", None, "Brut", "champagne"
    )


@pytest.mark.parametrize("text", ["❤️ Rosé", "1️⃣ litre", "75 cℓ", "½ &amp; ²", "（新品）", "ẹ́"])
def test_signs_as_they_are_ordinarily_written_stay(text: str) -> None:
    assert clean_text(text) == text.replace("&amp;", "&")


@pytest.mark.parametrize(
    "piece",
    [
        "at rs. ", "for at ", "only flipkart ", "rs. buy ", "also get ", "free ", "free shipping ", "<!--", "<!-->",
        "<a ", "<<b>", "_", "__a", "a__", "&amp;", "&amp", "&#38", "&#38;#38;", "&am&#112;;", "&lt;b&gt;",
        "\u0301\u0316", "\u0344", "\u200b", "c\u0336", "rs. 1 ", "1", "in india ", "flipkart.com: buy ", "&#", "İrs. ",
    ],
)  # fmt: skip
def test_cleaning_takes_time_in_proportion_and_ends_where_cleaning_leaves_off(piece: str) -> None:
    assert grows_too_fast(clean_text, lambda n: "rs. " + piece * n + "x") is None
    cleaned = clean_text("rs. " + piece * (20_000 // len(piece)))
    assert clean_text(cleaned) == cleaned


def test_layers_beyond_count_are_taken_off_in_a_few_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    clean_once = cleaning._clean_once
    monkeypatch.setattr(cleaning, "_clean_once", lambda text: passes.append(len(text)) or clean_once(text))
    for text in ("free " * 1_500 + "shipping " * 1_500, "&#38" * 5_000 + ";", "&amp" * 4_000 + "lt;b&gt;"):
        cleaned = clean_text(text)
        assert len(passes) <= 10
        assert clean_text(cleaned) == cleaned
        passes.clear()


def test_a_number_of_any_length_is_no_reason_to_stop() -> None:
    assert clean_text("Sucre &#" + "9" * 4_400 + "; cacao") == "Sucre \ufffd cacao"


def test_a_document_says_each_thing_once() -> None:
    assert document("Moët & Chandon Brut", "Moët & Chandon", "MOËT & CHANDON BRUT", "Raisin, _sulfites_") == (
        "Moët & Chandon Brut\nRaisin, sulfites"
    )


def test_real_products_keep_their_words_and_lose_the_sales_talk(shared_data: Path) -> None:
    with (shared_data / "flipkart" / "flipkart_com-ecommerce_sample.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    documents = [document(row["product_name"], row["brand"], row["description"], None) for row in rows]
    assert all(documents)
    left = ("30 day replacement", "only genuine products", "flipkart.com", "key features of", " rs. 1")
    assert not [text for text in documents if any(phrase in text.lower() for phrase in left)]

    with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as stream:
        foods = [json.loads(line) for line in stream]
    documents = [document(food.get("product_name"), None, None, food.get("ingredients_text")) for food in foods]
    assert not [text for text in documents if "_" in text or "&quot;" in text]
