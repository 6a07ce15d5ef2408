"""What is read of texts is kept by day and reader."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from include.pipeline import text_features
from include.pipeline.text_features import (
    extract_text_features,
    replace_text_features,
    store_text_features,
    stored_text_features,
    text_features_of,
)
from include.schema import PRODUCTS, TEXT_FEATURES, Product, text_hash
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

DAY = date(2026, 1, 5)
PATH = Batch("s", DAY).file(Layer.TEXT_FEATURES)


def products() -> pa.Table:
    listed = [Product("s", "1", name="Vinaigre de champagne"), Product("s", "2", name="Piri piri"), Product("s", "3")]
    return pa.Table.from_pylist([product.to_row() for product in listed], schema=PRODUCTS)


def features() -> pa.Table:
    found, documents = extract_text_features(products())
    assert documents == ["Vinaigre de champagne", "Piri piri", ""]
    return found


def test_text_features_are_the_texts_key_and_the_rule_label() -> None:
    found = features()
    assert found.schema.equals(TEXT_FEATURES)
    assert found["text_hash"].to_pylist() == [text_hash("Vinaigre de champagne"), text_hash("Piri piri"), None]
    assert found["rule_label"].to_pylist() == ["vinegar", None, None]
    assert found["rule"].to_pylist() == ["vinegar or dressing, by the head of the name", None, None]


def test_text_features_that_are_wanted_are_found_on_their_day(any_lake: Lake) -> None:
    contents = features()["content_hash"]
    assert stored_text_features(any_lake, "s", [DAY], contents).equals(TEXT_FEATURES.empty_table())
    store_text_features(any_lake, PATH, features())
    assert stored_text_features(any_lake, "s", [DAY], contents).equals(features())
    assert stored_text_features(any_lake, "s", [DAY], contents[1:2]).equals(features().slice(1, 1))
    assert stored_text_features(any_lake, "s", [date(2026, 1, 6)], contents).num_rows == 0
    assert stored_text_features(any_lake, "t", [DAY], contents).num_rows == 0


@pytest.mark.parametrize("version", ["CLEANING_VERSION", "CHARACTERS_VERSION", "RULES_VERSION"])
def test_those_of_another_extractor_do_not_count_and_are_replaced(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    store_text_features(lake, PATH, features())
    monkeypatch.setattr(text_features, version, "another")
    contents = features()["content_hash"]
    assert stored_text_features(lake, "s", [DAY], contents).num_rows == 0
    replace_text_features(lake, Batch("s", DAY), features())
    replace_text_features(lake, Batch("s", DAY), features().slice(1))
    assert stored_text_features(lake, "s", [DAY], contents).num_rows == 5
    assert not lake.exists(PATH)
    assert len(lake.list_files(Layer.TEXT_FEATURES)) == 2


def test_a_text_is_read_once_for_embedding_and_classifying(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    store_text_features(lake, PATH, features())
    expected = features()
    monkeypatch.setattr(text_features, "extract_text_features", lambda _products: pytest.fail("read again"))
    assert text_features_of(lake, PATH, products()).equals(expected, check_metadata=True)


@pytest.mark.parametrize("kept", ["nothing", "of other products", "of another reader"])
def test_text_features_that_do_not_fit_the_products_are_read_again(
    kept: str, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kept != "nothing":
        store_text_features(lake, PATH, features().slice(1) if kept == "of other products" else features())
    if kept == "of another reader":
        monkeypatch.setattr(text_features, "CLEANING_VERSION", "another")
    assert text_features_of(lake, PATH, products()).equals(features())
    assert stored_text_features(lake, "s", [DAY], features()["content_hash"]).equals(features())


def test_a_file_from_before_the_names_of_rules_were_kept_is_read_as_it_was(any_lake: Lake) -> None:
    """Its rule labels count, so that nothing is extracted again; the names are unknown."""
    before = features().drop_columns(["rule"])
    store_text_features(any_lake, PATH, before)
    for found in (
        text_features_of(any_lake, PATH, products()),
        stored_text_features(any_lake, "s", [DAY], products()["content_hash"]),
    ):
        assert found.schema.equals(TEXT_FEATURES)
        assert found.drop_columns(["rule"]).equals(before)
        assert found["rule"].null_count == found.num_rows
    assert "rule" not in any_lake.read_parquet(PATH).column_names
