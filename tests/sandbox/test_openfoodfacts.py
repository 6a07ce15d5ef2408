"""The food API answers in the shapes of the real one, and the official client understands them."""

from __future__ import annotations

from typing import Any

import openfoodfacts
import pytest
import requests

from include.sandbox.catalogue import photo_path
from include.sandbox.server import SandboxServer

KNOWN_CODE = "3880000000173"


@pytest.fixture
def official_client(server: SandboxServer) -> openfoodfacts.API:
    """The official Python client, unchanged but for its base URL."""
    client = openfoodfacts.API(user_agent="CuveeTests/1.0 (tests@example.org)")
    client.product.base_url = server.url
    return client


def get(server: SandboxServer, path: str) -> Any:
    return requests.get(server.url + path, timeout=10).json()


def test_the_official_client_reads_a_product(official_client: openfoodfacts.API) -> None:
    product = official_client.product.get(KNOWN_CODE)
    assert product is not None
    assert product["code"] == KNOWN_CODE
    assert product["product_name"]


def test_the_official_client_reads_chosen_fields_only(official_client: openfoodfacts.API) -> None:
    product = official_client.product.get(KNOWN_CODE, fields=["code", "product_name"])
    assert set(product or {}) == {"code", "product_name"}


def test_the_official_client_finds_no_unknown_product(official_client: openfoodfacts.API) -> None:
    assert official_client.product.get("3880000999999") is None


def test_the_official_client_learns_that_a_code_is_invalid(official_client: openfoodfacts.API) -> None:
    with pytest.raises(ValueError, match="invalid barcode"):
        official_client.product.get("no-digits", raise_if_invalid=True)


def test_the_official_client_searches_by_words(official_client: openfoodfacts.API) -> None:
    found = official_client.product.text_search("moutarde champagne", page_size=5)
    assert found["count"] > 0
    assert found["page_count"] == len(found["products"]) == min(5, found["count"])
    assert "outarde" in found["products"][0]["product_name"]


def test_the_official_client_gets_an_error_from_a_server_that_is_down(
    official_client: openfoodfacts.API, server: SandboxServer
) -> None:
    server.faults.replace(["unavailable:first=1"])
    with pytest.raises(requests.HTTPError, match="503"):
        official_client.product.get(KNOWN_CODE)
    assert official_client.product.get(KNOWN_CODE) is not None


def test_a_missing_product_is_404_with_status_0(server: SandboxServer) -> None:
    answer = requests.get(f"{server.url}/api/v2/product/3880000999999", timeout=10)
    assert answer.status_code == 404
    assert answer.json() == {"code": "3880000999999", "status": 0, "status_verbose": "product not found"}


def test_the_old_interface_answers_200_for_a_missing_product(server: SandboxServer) -> None:
    answer = requests.get(f"{server.url}/api/v0/product/3880000999999.json", timeout=10)
    assert (answer.status_code, answer.json()["status"]) == (200, 0)


def test_the_old_interface_reads_a_product(server: SandboxServer) -> None:
    answer = get(server, f"/api/v0/product/{KNOWN_CODE}.json")
    assert (answer["status"], answer["status_verbose"]) == (1, "product found")
    assert answer["product"]["code"] == KNOWN_CODE


def test_pages_of_a_category_hold_each_product_once(server: SandboxServer) -> None:
    pages = [get(server, f"/api/v2/search?categories_tags=en:champagnes&page_size=10&page={n}") for n in range(1, 99)]
    codes = [product["code"] for page in pages for product in page["products"]]
    assert len(codes) == len(set(codes)) == pages[0]["count"] > 20
    assert all(page["page_count"] == len(page["products"]) for page in pages)
    assert pages[-1]["products"] == []


def test_a_category_is_found_by_its_english_name(server: SandboxServer) -> None:
    by_tag = get(server, "/api/v2/search?categories_tags=en:champagnes")
    by_name = get(server, "/api/v2/search?categories_tags_en=Champagnes")
    assert by_name["count"] == by_tag["count"] > 0


def test_two_categories_are_both_wanted_and_a_bar_means_either(server: SandboxServer) -> None:
    both = get(server, "/api/v2/search?categories_tags=en:champagnes,en:vinegars")["count"]
    either = get(server, "/api/v2/search?categories_tags=en:champagnes|en:vinegars")["count"]
    champagnes = get(server, "/api/v2/search?categories_tags=en:champagnes")["count"]
    assert both == 0
    assert either > champagnes > 0


def test_search_by_filters_knows_no_words(server: SandboxServer) -> None:
    everything = get(server, "/api/v2/search")["count"]
    assert get(server, "/api/v2/search?search_terms=moutarde")["count"] == everything
    assert get(server, "/cgi/search.pl?search_terms=moutarde&json=1")["count"] < everything


def test_search_by_words_without_json_is_a_page_for_people(server: SandboxServer) -> None:
    answer = requests.get(f"{server.url}/cgi/search.pl?search_terms=champagne", timeout=10)
    assert answer.headers["content-type"].startswith("text/html")


def test_accents_and_case_do_not_matter_to_a_search(server: SandboxServer) -> None:
    accented = get(server, "/cgi/search.pl?search_terms=CUV%C3%89E&json=1")["count"]
    assert accented == get(server, "/cgi/search.pl?search_terms=cuvee&json=1")["count"] > 0


def test_a_page_has_at_most_100_products(server: SandboxServer) -> None:
    answer = get(server, "/api/v2/search?page_size=1000")
    assert answer["page_size"] == answer["page_count"] == 100


@pytest.mark.parametrize("page", ["0", "-1", "x", ""])
def test_a_senseless_page_number_is_the_first_page(server: SandboxServer, page: str) -> None:
    assert get(server, f"/api/v2/search?page={page}")["page"] == 1


def test_only_raw_commas_separate_fields(server: SandboxServer) -> None:
    raw = get(server, "/api/v2/search?fields=code,brands&page_size=1")["products"][0]
    encoded = get(server, "/api/v2/search?fields=code%2Cbrands&page_size=1")["products"][0]
    assert set(raw) == {"code", "brands"}
    assert encoded == {}


def test_the_newest_product_comes_first_on_request(server: SandboxServer) -> None:
    products = get(server, "/api/v2/search?sort_by=last_modified_t&page_size=100")["products"]
    moments = [product.get("last_modified_t", 0) for product in products]
    assert moments == sorted(moments, reverse=True)


def test_a_photo_is_served_at_the_address_in_the_record(server: SandboxServer) -> None:
    product = get(server, f"/api/v2/product/{KNOWN_CODE}")["product"]
    assert product["image_front_url"].startswith(f"{server.url}/images/products/388/000/000/0173/front_")
    answer = requests.get(product["image_front_url"], timeout=10)
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xff\xd8")


def test_photo_paths_fill_short_codes_with_zeros() -> None:
    assert photo_path("12345678", "front_fr", 4) == "/images/products/000/001/234/5678/front_fr.4.400.jpg"


@pytest.mark.parametrize(
    "path",
    [
        "/images/../../../etc/passwd",
        "/images/products/..%2f..%2f..%2fetc/passwd",
        "/data/delta/..%2f..%2fetc%2fpasswd",
        "/data/delta/openfoodfacts_products_0_1.json.gz",
        "/images/products/388/000/000/0173/front_fr.999.400.jpg",
    ],
)
def test_nothing_outside_the_catalogue_is_served(server: SandboxServer, path: str) -> None:
    request = requests.Request("GET", server.url).prepare()
    request.url = server.url + path  # as it stands: the library would tidy the path
    with requests.Session() as session:
        answer = session.send(request, timeout=10)
    assert answer.status_code == 404
    assert b"root:" not in answer.content
