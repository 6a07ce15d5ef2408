"""The tables that follow from the code are up to date, and those that people wrote agree with it."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import fields
from itertools import pairwise

import pyarrow as pa
import pytest

from include import schema
from include.models.data.snapshot import SNAPSHOT
from include.quality.reasons import FLAGS, REASONS
from include.schema import IMAGES, embeddings_schema
from include.sources import SOURCE_NAMES, get_source
from include.sources.catalogue import KINDS, ColumnMapping
from include.sources.openfoodfacts_record import KNOWN_SCHEMA_VERSIONS
from include.taxonomy import TAXONOMY_FILE
from include.warehouse.search_tables import METADATA
from tests.docs.documents import markdown_pages, page
from tests.docs.write_reference import COMMAND, PARTS, arrow_type, parts_of, rewritten


def test_the_written_tables_are_what_the_code_says_now() -> None:
    stale = [document.name for document in markdown_pages() if rewritten(document.text) != document.text]
    assert stale == [], f"run {COMMAND}"


def test_every_part_stands_on_exactly_one_page() -> None:
    found = [name for document in markdown_pages() for name in parts_of(document.text)]
    assert sorted(found) == sorted(PARTS)


def test_a_changed_table_is_noticed_and_what_people_wrote_around_it_is_kept() -> None:
    text = page("docs/settings.md").text
    changed = text.replace("| `CUVEE_SEED` | `0` |", "| `CUVEE_SEED` | `1` |")
    assert changed != text
    assert rewritten(changed) == text
    assert rewritten(f"before\n{text}after\n") == f"before\n{text}after\n"


@pytest.mark.parametrize("table", METADATA.tables)
def test_every_column_of_the_warehouse_has_a_meaning_on_its_page(table: str) -> None:
    sections = page("docs/warehouse.md").text.split("\n### ")
    (section,) = (text for text in sections if text.startswith(f"{table}\n"))
    rows = re.findall(r"^\| `(\w+)` \| `[^|]+ \| ([^|]{4,}) \|$", section, re.M)
    assert [name for name, _meaning in rows] == [column.name for column in METADATA.tables[table].columns]


@pytest.mark.parametrize(
    ("layer", "columns"), [("images", IMAGES), ("embeddings", embeddings_schema(256)), ("snapshots", SNAPSHOT)]
)
def test_the_columns_of_the_lake_that_people_described_have_those_names_and_types(
    layer: str, columns: pa.Schema
) -> None:
    described = page("docs/lake.md").table(f"column of {layer}", "type", "meaning")
    assert [row[:2] for row in described] == [[f"`{field.name}`", arrow_type(field)] for field in columns]


def test_the_sources_page_has_every_reason_and_every_flag() -> None:
    document = page("docs/sources.md")
    assert [row[0].strip("`") for row in document.table("reason", "meaning")] == list(REASONS)
    assert [row[0].strip("`") for row in document.table("flag", "meaning")] == list(FLAGS)


def statuses_of_the_schema() -> set[str]:
    """The photo statuses that the text below `schema.IMAGES` lists."""
    body = ast.parse(inspect.getsource(schema)).body
    (text,) = (
        following.value.value
        for node, following in pairwise(body)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "IMAGES"
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
    )
    sentence = re.search(r"`status` is (.*?)\.\s", str(text), re.S)
    assert sentence is not None
    return set(re.findall(r"`(\w+)`", sentence[1]))


def test_the_photo_statuses_are_those_of_the_schema() -> None:
    statuses = statuses_of_the_schema()
    assert len(statuses) == 10
    assert {row[0].strip("`") for row in page("docs/sources.md").table("status", "meaning")} == statuses
    photos = page("docs/operations.md").text.split("## Photos")[1].split("##")[0]
    assert set(re.findall(r"`(\w+)`", photos)) - {"photo_status"} == statuses - {"ok"}


def test_the_page_says_which_photos_are_tried_again() -> None:
    from include.pipeline.daily.photo_pieces import TRANSIENT_STATUSES

    rows = page("docs/sources.md").table("status", "meaning")
    assert {status.strip("`") for status, meaning in rows if "Tried again" in meaning} == TRANSIENT_STATUSES


def test_the_column_mapping_has_the_fields_of_the_code() -> None:
    rows = page("docs/sources.md").table("field", "becomes", "needed")
    assert [row[0].strip("`") for row in rows] == [field.name for field in fields(ColumnMapping)]
    columns = {row[1].strip("`") for row in rows}
    assert columns <= set(schema.PRODUCTS.names)


def test_the_catalogue_kinds_and_the_sources_are_those_of_the_code() -> None:
    document = page("docs/sources.md")
    assert {row[0].strip("`") for row in document.table("kind", "recognised by", "label from")} == set(KINDS)
    listed = document.table("source", "kind", "how it comes in", "what a day is")
    assert {row[0].strip("`") for row in listed if row[1] == "API"} == set(SOURCE_NAMES)


def test_the_attribution_of_every_source_is_on_the_page() -> None:
    quoted = [line.removeprefix("> ") for line in page("docs/sources.md").text.splitlines() if line.startswith("> ")]
    assert quoted == [get_source(name).attribution for name in SOURCE_NAMES]


def test_what_the_page_says_of_the_filter_and_the_versions_is_true() -> None:
    import yaml

    text = page("docs/sources.md").text
    feed = yaml.safe_load(TAXONOMY_FILE.read_text(encoding="utf-8"))["feed"]
    section = text.split("## The champagne filter")[1].split("\n## ")[0]
    assert set(re.findall(r"`(en:[\w-]+)`", section)) == set(feed["tags"])
    assert f"{KNOWN_SCHEMA_VERSIONS[0]} to {KNOWN_SCHEMA_VERSIONS[-1]}" in text
