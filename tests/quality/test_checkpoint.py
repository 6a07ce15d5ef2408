"""What rejects a batch, and that its report is written all the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.errors import BatchRejected
from include.pipeline.daily.batch_report import BatchReport
from include.quality.checkpoint import BatchCounts
from include.schema import PRODUCTS
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from tests.conftest import PROJECT_ROOT
from tests.quality.batches import (
    DAY,
    PRODUCTS_PATH,
    SOURCE,
    LabelledDay,
    check_label_files,
    good_products,
    nameless,
    validate,
    write_batch,
)


def result(lake: Lake, report: BatchReport) -> dict[str, Any]:
    """The report as data."""
    content: dict[str, Any] = json.loads(lake.read_bytes(report.report_path.replace("index.html", "result.json")))
    return content


def broken_rules(lake: Lake, report: BatchReport) -> list[str]:
    return [rule["rule"] for rule in result(lake, report)["rules"] if not rule["success"]]


def test_a_good_batch_passes_with_its_report(lake: Lake, settings: Settings) -> None:
    report = validate(lake, write_batch(lake, [*good_products(100), *nameless(5)]), settings, history=[90, 110])
    assert (report.success, report.failures) == (True, [])
    report.raise_if_failed()
    assert report.report_path == f"reports/validation/source={SOURCE}/day={DAY.isoformat()}/index.html"
    content = result(lake, report)
    assert content["verdict"] == "passed"
    assert content["counts"] == {"received": 105, "products": 100, "quarantined": 5, "flags": 10, "unchanged": 0}
    assert {rule["rule"] for rule in content["rules"]} >= {"schema", "volume", "freshness", "product_id_unique"}


def test_a_failing_batch_names_rules_figures_and_the_report(lake: Lake, settings: Settings) -> None:
    report = validate(lake, write_batch(lake, [*good_products(100), *nameless(300)]), settings)
    with pytest.raises(BatchRejected, match=r"rejected_share .* at most 50 percent .* Found: 75 percent") as raised:
        report.raise_if_failed()
    assert lake.url(report.report_path) in str(raised.value)
    assert lake.exists(report.report_path)
    assert result(lake, report)["verdict"] == "failed"


def test_more_than_two_hundred_bad_rows_are_all_counted(lake: Lake, settings: Settings) -> None:
    loose = settings.model_copy(update={"max_rejected_share": 1.0})
    duplicates = good_products(100)[:40] * 10
    report = validate(lake, write_batch(lake, [*good_products(100), *nameless(731), *duplicates]), loose)
    chart = result(lake, report)["bars"][0]
    assert {bar["name"]: bar["count"] for bar in chart["bars"]} == {"no_name": 731, "duplicate": 400}
    assert "731" in lake.read_bytes(report.report_path).decode()


def test_a_frequent_reason_does_not_hide_a_rare_one(lake: Lake, settings: Settings) -> None:
    rare = replace(good_products(1)[0], native_id="77", name="\x00")
    report = validate(lake, write_batch(lake, [*good_products(500), *nameless(400), rare]), settings)
    examples = result(lake, report)["examples"]
    assert len(examples) == 50
    assert ["control_characters"] in [example["reasons"][-1:] for example in examples]


@pytest.mark.parametrize(
    ("rule", "changed", "history"),
    [
        ("volume", {"min_volume_share": 0.5}, [900, 1100]),
        ("volume", {"max_volume_ratio": 2.0}, [10, 10]),
        ("freshness", {"freshness_days": 1}, []),
        ("rejected_share", {"max_rejected_share": 0.01}, []),
    ],
)
def test_each_limit_of_the_settings_turns_a_batch_red(
    lake: Lake, settings: Settings, rule: str, changed: dict[str, Any], history: list[int]
) -> None:
    aged = [replace(product, last_modified=datetime(2026, 2, 20, tzinfo=UTC)) for product in good_products(100)]
    counts = write_batch(lake, [*aged, *nameless(3)])
    assert validate(lake, counts, settings, history).success
    report = validate(lake, counts, settings.model_copy(update=changed), history)
    assert broken_rules(lake, report) == [rule]
    assert report.success is False


def test_records_without_a_time_are_not_judged_for_freshness(lake: Lake, settings: Settings) -> None:
    report = validate(
        lake, write_batch(lake, [replace(product, last_modified=None) for product in good_products(5)]), settings
    )
    assert report.success
    assert [entry["rule"] for entry in result(lake, report)["skipped"]] == ["volume", "freshness"]


def test_an_old_catalogue_is_not_judged_for_freshness(lake: Lake, settings: Settings) -> None:
    old = [replace(product, last_modified=datetime(2016, 1, 1, tzinfo=UTC)) for product in good_products(5)]
    counts = write_batch(lake, old)
    assert not validate(lake, counts, settings).success
    assert validate(lake, counts, settings, expect_fresh=False).success


def test_a_batch_of_nothing_but_rejections_fails_whatever_the_limit(lake: Lake, settings: Settings) -> None:
    loose = settings.model_copy(update={"max_rejected_share": 1.0})
    report = validate(lake, write_batch(lake, nameless(10)), loose)
    assert broken_rules(lake, report) == ["not_empty"]


def test_one_bad_record_of_a_listing_without_news_rejects_nothing(lake: Lake, settings: Settings) -> None:
    counts = replace(write_batch(lake, nameless(1)), unchanged=79)
    assert validate(lake, counts, settings).success
    many = replace(write_batch(lake, nameless(80)), unchanged=79)
    assert broken_rules(lake, validate(lake, many, settings)) == ["rejected_share"]


@pytest.mark.parametrize(("share", "products", "is_kept"), [(0.0, 0, False), (0.5, 4, False), (0.5, 5, True)])
def test_a_day_that_had_products_is_not_emptied_without_a_persons_word(
    share: float, products: int, is_kept: bool, lake: Lake, settings: Settings
) -> None:
    counts = write_batch(lake, good_products(products))
    asked = settings.model_copy(update={"min_volume_share": share})
    report = validate(lake, counts, asked, stored=10)
    assert report.success == is_kept
    assert ("not_emptied" in broken_rules(lake, report)) == (not is_kept)
    assert validate(lake, counts, asked, stored=10, allow_empty=True).success


def test_a_person_may_let_a_day_have_nothing_but_rejections_by_word_and_limit(lake: Lake, settings: Settings) -> None:
    counts = write_batch(lake, nameless(3))
    assert broken_rules(lake, validate(lake, counts, settings, stored=10, allow_empty=True)) == ["rejected_share"]
    loose = settings.model_copy(update={"max_rejected_share": 1.0})
    assert validate(lake, counts, loose, stored=10, allow_empty=True).success


def test_the_report_of_a_rerun_is_that_of_the_first_run(lake: Lake, settings: Settings) -> None:
    counts = write_batch(lake, good_products(10))
    first = result(lake, validate(lake, counts, settings))
    assert result(lake, validate(lake, counts, settings, stored=10)) == first
    assert result(lake, validate(lake, counts, settings, stored=10, allow_empty=True)) == first


def spoiled(**changed: pa.Array) -> Callable[[pa.Table], pa.Table]:
    """A change of one column of the products table."""

    def spoil(table: pa.Table) -> pa.Table:
        for name, values in changed.items():
            table = table.set_column(table.column_names.index(name), name, values)
        return table

    return spoil


@pytest.mark.parametrize(
    ("spoil", "rules"),
    [
        (lambda table: table.drop_columns(["brand"]), {"schema"}),
        (lambda table: table.append_column("extra", pa.nulls(100, pa.string())), {"schema"}),
        (spoiled(language=pa.nulls(100, pa.int32())), {"schema", "language_form"}),
        (lambda table: table.slice(0, 99), {"products_lost"}),
        (lambda table: pa.concat_tables([table.slice(0, 99), table.slice(0, 1)]), {"product_id_unique"}),
        (spoiled(product_id=pa.array([None] + [f"s:{n}" for n in range(99)])), {"product_id_present"}),
        (spoiled(product_id=pa.array([f"no source {n}" for n in range(100)])), {"product_id_form"}),
        (spoiled(content_hash=pa.array(["abc"] * 100)), {"content_hash_form"}),
        (spoiled(name=pa.array([None] + ["x"] * 99)), {"name_present"}),
        (spoiled(name=pa.array(["x" * 501] + ["x"] * 99)), {"name_length"}),
        (spoiled(description=pa.array([""] + ["x"] * 99)), {"description_length"}),
        (spoiled(ingredients=pa.array(["x" * 50_001] + ["x"] * 99)), {"ingredients_length"}),
        (lambda table: table.drop_columns(["product_id"]), {"schema", "product_id_present", "product_id_unique"}),
    ],
)
def test_a_damaged_products_file_is_red(
    lake: Lake, settings: Settings, spoil: Callable[[pa.Table], pa.Table], rules: set[str]
) -> None:
    counts = write_batch(lake, good_products(100))
    table = lake.read_parquet(PRODUCTS_PATH)
    loose = table.cast(pa.schema([field.with_nullable(True) for field in PRODUCTS]))
    lake.write_parquet(PRODUCTS_PATH, spoil(loose), 30)
    report = validate(lake, counts, settings)
    assert rules <= set(broken_rules(lake, report))
    assert report.success is False


def test_a_missing_products_file_is_red(lake: Lake, settings: Settings) -> None:
    counts = write_batch(lake, good_products(10))
    lake.delete(PRODUCTS_PATH)
    report = validate(lake, counts, settings)
    assert "is missing" in report.failures[0]
    assert {"schema", "products_lost"} <= set(broken_rules(lake, report))


def test_a_warning_does_not_reject(lake: Lake, settings: Settings) -> None:
    odd = [replace(product, language="French") for product in good_products(10)]
    report = validate(lake, write_batch(lake, odd), settings)
    assert report.success
    assert broken_rules(lake, report) == ["language_form"]
    assert "goes on, with remarks" in lake.read_bytes(report.report_path).decode()


def test_an_empty_day_passes_and_says_so(lake: Lake, settings: Settings) -> None:
    report = validate(lake, BatchCounts(0, 0), settings, history=[100])
    assert report.success
    assert "nothing new" in lake.read_bytes(report.report_path).decode()
    assert result(lake, report)["verdict"] == "empty"


def test_an_empty_day_is_red_where_a_volume_is_demanded(lake: Lake, settings: Settings) -> None:
    counts = write_batch(lake, [])
    report = validate(lake, counts, settings.model_copy(update={"min_volume_share": 0.1}), history=[100])
    assert "volume" in broken_rules(lake, report)


def test_an_empty_day_imports_nothing_heavy(settings: Settings) -> None:
    program = (
        "import sys; from tests.quality.batches import *;"
        f"lake = Lake({settings.lake_root!r}); validate(lake, BatchCounts(0, 0), Settings());"
        "print([name for name in ('great_expectations', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_great_expectations_is_quiet_and_leaves_no_files(tmp_path: Path, settings: Settings) -> None:
    program = (
        "import logging; logging.basicConfig(level=logging.INFO);"
        "from tests.quality.batches import *;"
        f"lake = Lake({settings.lake_root!r});"
        "print(validate(lake, write_batch(lake, good_products(5)), Settings()).success)"
    )
    here = tmp_path / "here"
    here.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PROJECT_ROOT)!r}); {program}"],
        cwd=here,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == "True"
    ours = ("include.quality", "include.pipeline.daily.batch_report")
    assert [line for line in done.stderr.splitlines() if not any(name in line for name in ours)] == []
    assert list(here.iterdir()) == []


def all_files(lake: Lake) -> dict[str, bytes]:
    return {path: lake.read_bytes(path) for path in lake.list_files("reports")}


def test_validating_twice_leaves_the_same_bytes(any_lake: Lake, settings: Settings) -> None:
    records = [*good_products(60), *nameless(30), *good_products(3)]
    labelled = LabelledDay(good_products(60))

    def run() -> dict[str, bytes]:
        validate(any_lake, write_batch(any_lake, records), settings, history=[50])
        check_label_files(any_lake, labelled.write(any_lake, labelled.rows()))
        return all_files(any_lake)

    first = run()
    assert len(first) == 7
    assert run() == first


def test_a_day_that_has_become_empty_keeps_no_report_of_its_labels(lake: Lake, settings: Settings) -> None:
    labelled = LabelledDay(good_products(3))
    validate(lake, write_batch(lake, labelled.products), settings)
    check_label_files(lake, labelled.write(lake, labelled.rows()))
    report = validate(lake, write_batch(lake, []), settings)
    assert report.success
    assert [path for path in lake.list_files("reports") if "/labels/" in path] == []


def test_a_rerun_replaces_the_report_of_a_failed_day(lake: Lake, settings: Settings) -> None:
    assert not validate(lake, write_batch(lake, [*good_products(3), *nameless(30)]), settings).success
    report = validate(lake, write_batch(lake, good_products(33)), settings)
    assert report.success
    assert b"failed" not in lake.read_bytes("reports/validation/index.html").split(b"<table>")[1]


# Labels


def check_labels(lake: Lake, rows: list[dict[str, Any]]) -> BatchReport:
    return check_label_files(lake, LabelledDay.write(lake, rows))


@pytest.fixture
def labelled(lake: Lake) -> LabelledDay:
    """A labelled day whose products are in the lake."""
    write_batch(lake, good_products(50))
    return LabelledDay(good_products(50))


def test_good_labels_pass(lake: Lake, labelled: LabelledDay) -> None:
    report = check_labels(lake, labelled.rows())
    assert report.failures == []
    assert report.success
    content = result(lake, report)
    assert content["counts"] == {"products": 50, "labelled": 50, "accepted": 37, "review": 13}
    assert sum(bar["count"] for bar in content["bars"][0]["bars"]) == 50


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"label": "wine_of_tomorrow"}, "label_known"),
        ({"label": None}, "label_present"),
        ({"confidence": 1.01}, "confidence_range"),
        ({"confidence": -0.01}, "confidence_range"),
        ({"confidence": float("nan")}, "confidence_present"),
        ({"decision": "maybe"}, "decision_known"),
        ({"decision": None}, "decision_present"),
        ({"department": None}, "department_present"),
        ({"modality": "smell"}, "modality_known"),
        ({"modality": None}, "modality_present"),
        ({"model_version": None}, "model_version_present"),
        ({"product_id": None}, "product_id_present"),
        ({"product_id": "openfoodfacts:999"}, "labels_unknown"),
        ({"product_id": "openfoodfacts:10"}, "product_id_unique"),
        ({"product_id": "openfoodfacts:10"}, "products_unlabelled"),
    ],
)
def test_one_bad_label_is_red(lake: Lake, labelled: LabelledDay, changed: dict[str, Any], rule: str) -> None:
    rows = labelled.rows()
    rows[0] |= changed
    report = check_labels(lake, rows)
    assert rule in broken_rules(lake, report)
    with pytest.raises(BatchRejected, match=rule):
        report.raise_if_failed()


def test_a_product_without_label_is_red(lake: Lake, labelled: LabelledDay) -> None:
    assert broken_rules(lake, check_labels(lake, labelled.rows()[1:])) == ["products_unlabelled"]


def test_a_missing_shard_is_red(lake: Lake, labelled: LabelledDay) -> None:
    paths = [*labelled.write(lake, labelled.rows()), Batch(SOURCE, DAY).staged_file(Layer.LABELS, 2)]
    report = check_label_files(lake, paths)
    assert broken_rules(lake, report) == ["schema"]


def test_two_model_versions_in_a_day_are_a_warning(lake: Lake, labelled: LabelledDay) -> None:
    rows = labelled.rows()
    rows[0]["model_version"] = "2"
    report = check_labels(lake, rows)
    assert report.success
    assert broken_rules(lake, report) == ["one_model"]
