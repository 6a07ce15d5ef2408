"""Records changed at random come out as products or with a reason, each once, whatever was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from include.local.postgres import PostgresServer
from include.schema import Product, Rejection
from include.sources.edamam_record import parse_food
from include.sources.json_text import parse_json
from include.sources.openfoodfacts_record import moment_of_change, parse_product
from tests.faults.mutation import NUMBERS, TEXTS, changed, fields_read, hostile_json, nested, parts
from tests.faults.mutation import Path as FieldPath
from tests.faults.record_batches import EDAMAM, OPENFOODFACTS, edamam_outcome, openfoodfacts_outcome

LINES = 8
Outcome = Callable[[list[bytes], str], tuple[list[Product], list[Rejection]]]


def read_whole(record: Any) -> None:
    moment_of_change(record)
    parse_product(record, "openfoodfacts")


OPENFOODFACTS_FIELDS = fields_read(read_whole, OPENFOODFACTS)
EDAMAM_FIELDS = fields_read(lambda food: parse_food(food, "edamam"), EDAMAM)


def test_every_field_that_the_code_reads_is_known_to_the_mutation() -> None:
    assert {path[0] for path in OPENFOODFACTS_FIELDS} >= {
        "code", "_id", "id", "schema_version", "lang", "lc", "product_name", "product_name_fr", "generic_name",
        "abbreviated_product_name", "ingredients_text", "quantity", "brands", "brands_hierarchy", "brands_tags",
        "categories", "categories_tags", "categories_hierarchy", "url", "image_front_url", "image_url", "images",
        "selected_images", "last_modified_t",
    }  # fmt: skip
    assert ("images", "selected", "front", "fr", "rev") in OPENFOODFACTS_FIELDS
    assert ("selected_images", "front", "en", "400") in OPENFOODFACTS_FIELDS
    assert {path[0] for path in EDAMAM_FIELDS} == {
        "foodId", "label", "knownAs", "brand", "category", "foodContentsLabel", "image"
    }  # fmt: skip


def test_a_field_that_a_parser_comes_to_read_is_noticed() -> None:
    assert fields_read(lambda record: record.get("new"), [{"a": 1}]) == [("new",)]
    assert fields_read(lambda record: record["a"]["b"], [{"a": {"b": 1}}]) == [("a",), ("a", "b")]


def test_the_field_alone_is_changed() -> None:
    assert changed({"a": {"b": 1}, "c": 2}, ("a", "b"), "1e999") == b'{"a": {"b": 1e999}, "c": 2}'
    assert changed({"a": 5}, ("a", "b"), "[]") == b'{"a": {"b": []}}'


def mutations(records: list[dict[str, Any]], fields: list[FieldPath]) -> st.SearchStrategy[bytes]:
    paths = [*parts(fields), ("a_field_that_nobody_reads",)]
    return st.builds(changed, st.sampled_from(records), st.sampled_from(paths), hostile_json)


def assert_each_comes_out_once(outcome: Outcome, lines: list[bytes], folder: Path) -> None:
    _, rejected = outcome(lines, str(folder))
    unreadable = [rejection for rejection in rejected if "unreadable" in rejection.reasons]
    assert not unreadable, unreadable[0]


@seed(20261128)
@settings(deadline=None, max_examples=15, database=None)
@given(st.lists(mutations(OPENFOODFACTS, OPENFOODFACTS_FIELDS), min_size=LINES, max_size=LINES))
def test_mutated_records_of_open_food_facts_come_out_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    assert_each_comes_out_once(openfoodfacts_outcome, lines, tmp_path_factory.mktemp("lake"))


def test_every_field_takes_every_kind_of_value(tmp_path: Path) -> None:
    values = ["1e999", "9" * 5_000, nested(600), '"\\u0000"', '"\\ud800"', "[]", "{}", "[{}]", "true", "null", "-0.0"]
    fields = [(record, path) for record in OPENFOODFACTS for path in parts(OPENFOODFACTS_FIELDS)]
    lines = [changed(record, path, value) for record, path in fields for value in values]
    assert_each_comes_out_once(openfoodfacts_outcome, lines, tmp_path)


def read_food(food: bytes) -> bool:
    """Whether a food is JSON at all: a page with one that is not is an error of the whole page."""
    try:
        parse_json(food)
    except ValueError:
        return False
    return True


@seed(20261128)
@settings(deadline=None, max_examples=15, database=None)
@given(st.lists(mutations(EDAMAM, EDAMAM_FIELDS).filter(read_food), min_size=LINES, max_size=LINES))
def test_mutated_foods_of_edamam_come_out_once(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    numbered = [line.replace(b"food_a656mk2a5dmqb2adiamu6beihduu", b"food_%d" % n) for n, line in enumerate(lines)]
    assert_each_comes_out_once(edamam_outcome, numbered, tmp_path_factory.mktemp("lake"))


def test_postgres_takes_every_raw_record_as_jsonb(tmp_path: Path, postgres_server: PostgresServer) -> None:
    hostile = [*NUMBERS, *map(json.dumps, TEXTS), nested(600), nested(20_000, '{"a": ', "}")]
    damaged = [{**OPENFOODFACTS[0], "code": f"3.{number}E+12"} for number in range(len(hostile))]
    lines = [changed(record, ("nutriments", "x"), text) for record, text in zip(damaged, hostile, strict=True)]
    _, rejected = openfoodfacts_outcome(lines, str(tmp_path))
    assert len(rejected) == len(hostile)
    with psycopg.connect(postgres_server.url("cuvee").replace("+psycopg", "")) as connection:
        for rejection in rejected:
            row = rejection.to_row()
            connection.execute("SELECT %s::jsonb, %s::text, %s::text", (row["raw"], row["detail"], row["position"]))
