"""Faults of records change copies only, always the same ones, and each shows what its name says."""

from __future__ import annotations

import copy
import gzip
import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from include.sandbox.faults import RECORD_FAULTS, Faults
from include.sandbox.record_faults import spoil_hints, spoil_products
from include.sandbox.server import SandboxServer

PRODUCT: dict[str, Any] = {
    "code": "3880000000173",
    "product_name": "Champagne Brut",
    "ingredients_text": "Raisin",
    "brands": "Orsel",
    "categories_tags": ["en:champagnes"],
    "last_modified_t": 1_767_571_800,
}
products = st.lists(
    st.fixed_dictionaries(
        {"code": st.text()}, optional={key: st.just(PRODUCT[key]) for key in PRODUCT if key != "code"}
    ),
    max_size=6,
)


@given(products, st.sampled_from(sorted(RECORD_FAULTS)))
def test_spoiling_leaves_the_catalogue_as_it_is_and_keeps_every_record(records: Any, name: str) -> None:
    before = copy.deepcopy(records)
    spoiled = spoil_products(records, Faults([f"{name}:one_in=1"]), "/api/v2/search")
    assert records == before
    assert len(spoiled) == len(records)
    assert spoiled == spoil_products(records, Faults([f"{name}:one_in=1"]), "/api/v2/search")


def spoiled(name: str) -> dict[str, Any]:
    return spoil_products([PRODUCT], Faults([f"{name}:one_in=1"]), "/api/v2/search")[0]


def test_absent_keys_takes_one_key_away() -> None:
    assert len(set(PRODUCT) - set(spoiled("absent_keys"))) == 1


def test_null_keys_makes_one_key_null() -> None:
    assert list(spoiled("null_keys").values()).count(None) == 1


def test_wrong_types_changes_the_type_of_one_key() -> None:
    record = spoiled("wrong_types")
    assert [key for key in PRODUCT if type(record[key]) is not type(PRODUCT[key])] != []


def test_unknown_schema_version_changes_the_shape_too() -> None:
    record = spoiled("unknown_schema_version")
    assert record["schema_version"] == 9999
    assert isinstance(record["brands"], list)


def test_unknown_keys_leaves_the_known_ones() -> None:
    record = spoiled("unknown_keys")
    assert {key: record[key] for key in PRODUCT} == PRODUCT
    assert set(record) > set(PRODUCT)


def test_hints_are_spoiled_inside_the_food() -> None:
    hint = {"food": {"foodId": "food_a", "label": "Champagne"}, "measures": []}
    [result] = spoil_hints([hint], Faults(["absent_keys:one_in=1"]), "/api/food-database/v2/parser")
    assert len(result["food"]) == 1
    assert result["measures"] == []


def test_broken_lines_cut_lines_of_a_delta_file(server: SandboxServer) -> None:
    name = requests.get(f"{server.url}/data/delta/index.txt", timeout=10).text.splitlines()[0]
    server.faults.replace(["broken_lines"])
    lines = gzip.decompress(requests.get(f"{server.url}/data/delta/{name}", timeout=10).content).splitlines()
    broken = 0
    for line in lines:
        try:
            json.loads(line)
        except json.JSONDecodeError:
            broken += 1
    assert 0 < broken < len(lines)


def test_string_count_is_text(server: SandboxServer) -> None:
    server.faults.replace(["string_count"])
    count = requests.get(f"{server.url}/api/v2/search", timeout=10).json()["count"]
    assert isinstance(count, str)
    assert int(count) > 100


@pytest.mark.parametrize("size", [10, 50])
def test_a_moving_list_pushes_known_products_to_the_next_page(server: SandboxServer, size: int) -> None:
    server.faults.replace(["moving_list"])
    url = f"{server.url}/api/v2/search?sort_by=last_modified_t&page_size={size}&page="
    pages = [requests.get(f"{url}{number}", timeout=10).json() for number in (1, 2, 3)]
    assert [page["count"] - pages[0]["count"] for page in pages] == [0, 1, 2]
    assert pages[0]["products"][-1]["code"] == pages[1]["products"][0]["code"]
    again = requests.get(f"{url}1", timeout=10).json()["products"]
    assert again[3]["code"] == pages[0]["products"][0]["code"]
