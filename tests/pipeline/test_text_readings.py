"""What is read of texts is kept by day and reader."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from include.pipeline import text_readings
from include.pipeline.text_readings import (
    LAYER,
    keep_readings,
    kept_readings,
    read_texts,
    readings_of,
    replace_readings,
)
from include.schema import PRODUCTS, READINGS, Product, text_hash
from include.storage.lake import Lake

DAY = date(2026, 1, 5)
PATH = Lake.day_file(LAYER, "s", DAY)


def products() -> pa.Table:
    listed = [Product("s", "1", name="Vinaigre de champagne"), Product("s", "2", name="Piri piri"), Product("s", "3")]
    return pa.Table.from_pylist([product.to_row() for product in listed], schema=PRODUCTS)


def readings() -> pa.Table:
    found, documents = read_texts(products())
    assert documents == ["Vinaigre de champagne", "Piri piri", ""]
    return found


def test_a_reading_is_the_texts_key_and_what_the_rules_say() -> None:
    found = readings()
    assert found.schema.equals(READINGS)
    assert found["text_hash"].to_pylist() == [text_hash("Vinaigre de champagne"), text_hash("Piri piri"), None]
    assert found["rule_label"].to_pylist() == ["vinegar", None, None]


def test_readings_that_are_wanted_are_found_on_their_day(any_lake: Lake) -> None:
    contents = readings()["content_hash"]
    assert kept_readings(any_lake, "s", [DAY], contents).equals(READINGS.empty_table())
    keep_readings(any_lake, PATH, readings())
    assert kept_readings(any_lake, "s", [DAY], contents).equals(readings())
    assert kept_readings(any_lake, "s", [DAY], contents[1:2]).equals(readings().slice(1, 1))
    assert kept_readings(any_lake, "s", [date(2026, 1, 6)], contents).num_rows == 0
    assert kept_readings(any_lake, "t", [DAY], contents).num_rows == 0


@pytest.mark.parametrize("version", ["CLEANING_VERSION", "CHARACTERS_VERSION", "RULES_VERSION"])
def test_another_readers_do_not_count_and_are_replaced(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    keep_readings(lake, PATH, readings())
    monkeypatch.setattr(text_readings, version, "another")
    contents = readings()["content_hash"]
    assert kept_readings(lake, "s", [DAY], contents).num_rows == 0
    replace_readings(lake, "s", DAY, readings())
    replace_readings(lake, "s", DAY, readings().slice(1))
    assert kept_readings(lake, "s", [DAY], contents).num_rows == 5
    assert not lake.exists(PATH)
    assert len(lake.list_files(LAYER)) == 2


def test_a_text_is_read_once_for_embedding_and_classifying(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_readings(lake, PATH, readings())
    expected = readings()
    monkeypatch.setattr(text_readings, "read_texts", lambda _products: pytest.fail("read again"))
    assert readings_of(lake, PATH, products()).equals(expected, check_metadata=True)


@pytest.mark.parametrize("kept", ["nothing", "of other products", "of another reader"])
def test_readings_that_do_not_fit_the_products_are_read_anew(
    kept: str, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kept != "nothing":
        keep_readings(lake, PATH, readings().slice(1) if kept == "of other products" else readings())
    if kept == "of another reader":
        monkeypatch.setattr(text_readings, "CLEANING_VERSION", "another")
    assert readings_of(lake, PATH, products()).equals(readings())
    assert kept_readings(lake, "s", [DAY], readings()["content_hash"]).equals(readings())
