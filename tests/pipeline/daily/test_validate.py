"""Validation of a landed day: nothing that a record does stops it, and every record is found again afterwards."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.errors import RecordTooSlow
from include.pipeline.daily.validate import ValidationSummary, validate_day, validate_records
from include.pipeline.text_features import documents_of
from include.quality.row_rules import RowRules
from include.schema import Product, Rejection
from include.settings import Settings
from include.sources import edamam, openfoodfacts
from include.sources.landing import Landing
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

DAY = date(2026, 3, 14)
START = 1_773_446_400
DELTA = f"openfoodfacts_products_{START}_{START + 86_400}.json.gz"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state", lake_url=str(tmp_path / "lake"), shard_size=40, max_rejected_share=1)


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {"code": f"{number:08d}", "product_name": f"Champagne {number}", "last_modified_t": START + number, **fields}


def land(settings: Settings, rows: list[dict[str, Any]], source: str = "openfoodfacts") -> None:
    landing = Landing(Lake(settings.lake_root), Batch(source, DAY))
    if source == "openfoodfacts":
        landing.write_json_lines(DELTA, rows)
    else:
        foods = [{"food": {"foodId": f"food_{n}", "label": row["product_name"]}} for n, row in enumerate(rows)]
        landing.write_json_lines("page-00001.json.gz", [{"hints": foods}])
    landing.complete({})


def written(settings: Settings, layer: str, source: str = "openfoodfacts") -> list[dict[str, Any]]:
    path = Batch(source, DAY).file(Layer(layer))
    lake = Lake(settings.lake_root)
    return lake.read_parquet(path).to_pylist() if lake.exists(path) else []


def fails_for_bad(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, but for whatever has the word "bad" in it."""

    def failing(*arguments: Any, **named: Any) -> Any:
        if "bad" in repr(arguments):
            raise ZeroDivisionError("a mistake of ours")
        return function(*arguments, **named)

    return failing


STAGES = [
    (openfoodfacts, "parse_line"),
    (openfoodfacts, "parse_product"),
    (openfoodfacts, "belongs_to_feed"),
    (RowRules, "check"),
    (RowRules, "_with_flags"),
    (Product, "to_row"),
]


@pytest.mark.parametrize(("place", "name"), STAGES)
def test_wherever_our_code_fails_on_a_record_the_others_go_on(
    place: Any, name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    land(settings, [row(n, generic_name="bad" if n in (7, 50) else None) for n in range(100)])
    monkeypatch.setattr(place, name, fails_for_bad(getattr(place, name)))
    summary = validate_day(Batch("openfoodfacts", DAY), settings)
    assert (summary["products"], summary["quarantined"], summary["reasons"]) == (98, 2, {"unreadable": 2})
    quarantine = written(settings, "quarantine")
    assert len(written(settings, "products")) == 98
    assert [entry["reasons"] for entry in quarantine] == [["unreadable"]] * 2
    assert all(json.loads(entry["raw"]) for entry in quarantine)
    told = [record for record in caplog.records if "our own code failed" in record.getMessage()]
    assert len(told) == 1
    assert "Traceback" in caplog.text
    report = json.loads(Lake(settings.lake_root).read_bytes(summary["report"].replace("index.html", "summary.json")))
    assert report["warnings"] == ["unreadable"]


def test_a_hash_that_fails_sets_its_food_aside(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    land(settings, [row(n, product_name=f"Champagne {'bad' if n == 7 else n}") for n in range(10)], "edamam")
    hashed = Product.content_hash.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Product, "content_hash", property(fails_for_bad(hashed)))
    summary = validate_day(Batch("edamam", DAY), settings)
    assert (summary["products"], summary["reasons"]) == (9, {"unreadable": 1})
    assert [entry["native_id"] for entry in written(settings, "quarantine", "edamam")] == ["food_7"]


@pytest.mark.parametrize("name", ["parse_food", "belongs_to_feed"])
def test_foods_are_guarded_too(name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    land(settings, [row(n, product_name=f"Champagne {'bad' if n == 7 else n}") for n in range(10)], "edamam")
    monkeypatch.setattr(edamam, name, fails_for_bad(getattr(edamam, name)))
    summary = validate_day(Batch("edamam", DAY), settings)
    assert (summary["products"], summary["reasons"]) == (9, {"unreadable": 1})


@pytest.mark.parametrize(
    "change", [{"name": 5}, {"name": "\ud800"}, {"last_modified": "today"}, {"category_tags": (1,)}, {"flags": 7}]
)
def test_a_product_of_which_no_row_can_be_made_is_set_aside(
    change: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = [Product("shop", str(n), f"Champagne {n}", brand="Mumm") for n in range(100)]
    monkeypatch.setattr(RowRules, "check", lambda _self, record, position: record)
    records: list[Product | Rejection] = [
        replace(product, **change) if product.native_id in ("7", "50") else product for product in products
    ]
    summary = validate_records(records, Batch("shop", DAY), settings, is_feed=False)
    assert (summary["products"], summary["quarantined"], summary["reasons"]) == (98, 2, {"unreadable": 2})
    assert len(written(settings, "products", "shop")) == 98


def test_a_rejection_that_cannot_be_written_down_keeps_its_place(settings: Settings) -> None:
    raw: dict[Any, Any] = {"a": 1, ("b",): {1: 2, "c": 3}}
    records: list[Product | Rejection] = [Product("shop", "1", "Champagne")]
    records.append(Rejection("shop", "x", ("no_name",), "no name", raw, "shop.csv:7"))
    summary = validate_records(records, Batch("shop", DAY), settings, is_feed=False)
    (entry,) = written(settings, "quarantine", "shop")
    assert (summary["products"], summary["quarantined"]) == (1, 1)
    assert entry["position"] == "shop.csv:7"
    assert "no_name" in entry["reasons"]


def test_a_record_that_hangs_fails_the_task_and_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.test_record_guard import hangs

    def slow(payload: Any, source: str, position: str) -> Rejection:
        hangs({"code": payload["code"].lstrip("0")}, position)
        return Rejection(source, None, ("no_name",), "champagne", payload, position)

    monkeypatch.setattr(openfoodfacts, "parse_product", slow)
    monkeypatch.setattr("include.record_guard.LIMIT_SECONDS", 0.2)
    land(settings, [row(n) for n in range(10)])
    with pytest.raises(RecordTooSlow, match=f"openfoodfacts: the record at '{DELTA}:8'"):
        validate_day(Batch("openfoodfacts", DAY), settings)
    assert written(settings, "products") == []


def test_an_unknown_version_is_one_warning_for_the_batch(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    def summary_of(rows: list[dict[str, Any]]) -> tuple[ValidationSummary, Any]:
        land(settings, rows)
        summary = validate_day(Batch("openfoodfacts", DAY), settings)
        path = summary["report"].replace("index.html", "summary.json")
        return summary, json.loads(Lake(settings.lake_root).read_bytes(path))

    summary, report = summary_of([row(n, schema_version=1005, new={"a": n}) for n in range(100)])
    assert (summary["products"], summary["quarantined"]) == (100, 0)
    assert (report["verdict"], report["warnings"]) == ("passed", ["unknown_schema_version"])
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert "100 products" in told[0].getMessage()
    assert {product["flags"][0] for product in written(settings, "products")} == {"unknown_schema_version"}

    summary, report = summary_of([row(n, schema_version=1004) for n in range(100)])
    assert report["warnings"] == []


def test_a_text_on_which_our_own_code_fails_is_read_as_empty(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import include.features.text as features

    products = pa.table(
        {"name": ["a", "bad", "c"], **dict.fromkeys(("brand", "description", "ingredients"), [None] * 3)}
    )
    monkeypatch.setattr(features, "document", fails_for_bad(features.document))
    assert documents_of(products) == ["a", "", "c"]
    (told,) = caplog.records
    assert "row 2: bad" in told.getMessage()


def test_a_product_on_which_a_rule_fails_has_no_rule(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from include.models.decision.written_rules import rule_labels
    from include.rules import RuleBook

    names = ["Biscoito Champagne", "bad Biscoito Champagne", "Champagne"]
    products = pa.table({"name": names, "ingredients": [None] * 3, "brand": pa.array([None] * 3, pa.string())})
    expected = rule_labels(products)
    assert expected[0] == "biscuit"
    monkeypatch.setattr(RuleBook, "first", fails_for_bad(RuleBook.first))
    assert rule_labels(products) == [expected[0], None, expected[2]]
    assert "row 2: bad" in caplog.records[0].getMessage()


def test_shards_are_full_whatever_is_set_aside(settings: Settings) -> None:
    land(
        settings,
        [row(n, product_name=None if n % 5 == 0 else f"Champagne {n}", brands="champagne") for n in range(100)],
    )
    validate_day(Batch("openfoodfacts", DAY), settings)
    with Lake(settings.lake_root).parquet_file(Batch("openfoodfacts", DAY).file(Layer.PRODUCTS)) as file:
        assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [40, 40]
