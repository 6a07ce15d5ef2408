"""The page of one product."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from include.pages.web.product import is_web_address, verdict
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.reviews import record_review
from tests.pages.web.odd_products import NAMES, load_odd_products, product_id


@pytest.fixture(autouse=True)
def products(warehouse: Engine, warehouse_settings: Settings) -> None:
    load_odd_products(warehouse, Lake(warehouse_settings.lake_root))


def page(viewer: TestClient, number: int) -> str:
    answer = viewer.get(f"products/{product_id(number)}")
    assert answer.status_code == 200
    return answer.text


def test_every_text_of_a_record_is_escaped(viewer: TestClient) -> None:
    for number, name in enumerate(NAMES):
        text = page(viewer, number)
        for tag in ("<script>alert", "<img src=x", "<b>Maison", "<i>raisin", "<u>1", "<b>by"):
            assert tag not in text, (number, tag)
        assert "49 vinaigre" not in text
        assert ("{{7*7}}" in text) == (name is not None and "{{7*7}}" in name)
    assert "facture[U+202E]fdp.exe" in page(viewer, 5)
    assert "without a name" in page(viewer, 6)


def test_the_page_says_why_in_plain_words(viewer: TestClient) -> None:
    text = page(viewer, 0)
    assert "The model is not confident enough: 50 %; this label needs 93 %." in text
    said = re.findall(r"<h3>([^<]+)</h3><div class=\"bars\">(.*?)</section>", text, re.DOTALL)
    found = {title: re.findall(r'name">([^<]+)</span><span class="amount">([^<]+)<', bars) for title, bars in said}
    assert found["What the text said"] == [("Champagne", "55 %"), ("Vinegar or dressing", "30 %")]
    assert found["What the photo said"] == [("Still wine", "61 %")]
    assert "A written rule applies, “biscuits, &lt;b&gt;by the name&lt;/b&gt;”" in text
    assert "The check digit does not fit" in page(viewer, 2)


def test_the_page_shows_the_trusted_products_that_it_looks_like(viewer: TestClient) -> None:
    alike = re.search(r'<ol class="looks">.*?</ol>', page(viewer, 0), re.DOTALL)
    assert alike
    first, second = re.findall(r"<li.*?</li>", alike[0], re.DOTALL)
    assert "91 % alike; a person decided so" in first
    assert f'href="../products/{product_id(2)}"' in first
    assert f'src="../photos/{product_id(2)}?size=480&amp;day=2026-01-05' in first
    assert "40 % alike; a catalogue says so" in second
    assert "<a " not in second, "products of a catalogue have no page"
    assert "The lake keeps no photo of it." in second


def test_a_trusted_label_is_named_with_who_gave_it(viewer: TestClient) -> None:
    assert "learn from: <bdi>Champagne</bdi>; the source's tags say so" in unescape(page(viewer, 2))
    assert "learn from" not in page(viewer, 3)


def test_a_label_without_kept_reasons_says_so(viewer: TestClient) -> None:
    assert "was not kept for this label" in page(viewer, 1)


def test_whose_data_and_photos_are_shown_is_said(viewer: TestClient) -> None:
    text = page(viewer, 0)
    assert "Open Food Facts contributors, ODbL 1.0; photos CC BY-SA 3.0" in text
    assert "Flipkart product sample" in text, "a product that it looks like is theirs"
    assert "Flipkart" not in page(viewer, 1)


def test_photos_are_ours_and_a_product_without_one_says_why(viewer: TestClient) -> None:
    assert re.findall(r'<img[^>]* src="([^"?]*)', page(viewer, 0))[0] == f"../photos/{product_id(0)}"
    assert all(address.startswith("../photos/") for address in re.findall(r'<img[^>]* src="([^"]*)', page(viewer, 0)))
    assert "The source no longer has the photo." in page(viewer, 1)
    assert "<img" not in page(viewer, 1)


def test_the_source_is_linked_only_by_a_web_address(viewer: TestClient) -> None:
    link = re.search(r'<a href="https://world.openfoodfacts.org/product/[^>]*>', page(viewer, 0))
    assert link
    assert 'rel="noreferrer noopener"' in link[0]
    assert "javascript:alert(1)" in page(viewer, 1)
    assert 'href="javascript' not in page(viewer, 1)


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        ("https://world.openfoodfacts.org/product/1", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,hello", False),
        ("//example.org", False),
        ("https://", False),
        ("https://[", False),
        ("https://example.org/\u202e", False),
        ("photos/1.jpg", False),
        ("", False),
        (None, False),
    ],
)
def test_a_link_leads_only_to_web_addresses(address: str | None, leads: bool) -> None:
    assert is_web_address(address) == leads


def test_history_and_reviews_are_shown(viewer: TestClient, warehouse: Engine) -> None:
    assert "No person has looked at this product yet." in page(viewer, 3)
    record_review(
        warehouse, product_id(3), "biscuit", department="Fine Grocery", reviewer="<em>jeanne", comment="<u>biscuit</u>"
    )
    text = page(viewer, 3)
    assert "decided by a person" in text
    assert "It said <bdi>Vinegar or dressing</bdi>; a person decided otherwise" in text
    assert "&lt;em&gt;jeanne" in text
    assert "&lt;u&gt;biscuit" in text
    assert "A person decided this label" in text
    assert re.search(r"<td class=\"whole\">2026-01-05</td><td>1</td><td><bdi>Vinegar or dressing", text)


@pytest.mark.parametrize(
    "odd", ["nothing", "../../etc/passwd", "' OR true --", "a/b", "openfoodfacts:\x00", "%", "é" * 2000]
)
def test_an_unknown_product_is_not_found_and_says_what_to_do(viewer: TestClient, odd: str) -> None:
    answer = viewer.get(f"products/{quote(odd, safe='')}")
    assert answer.status_code == 404
    assert "No labelled product has this id" in answer.text
    assert 'href="../assets/pages.css' in answer.text, "an encoded slash is no step of the address"


def test_the_verdict_names_what_was_needed() -> None:
    product = {"decided_by": "model", "confidence": 0.971, "decision": "accepted"}
    assert verdict(product, None).endswith("without a person: confidence 0.97.")
    assert verdict(product | {"decision": "review"}, None) == "A person should look (confidence 0.97)."
