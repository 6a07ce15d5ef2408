from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from include.models.reasons.reading import LabelProbability, Neighbour, ProductReasons, reasons_of, references_path
from include.models.reasons.relabelled import reasons_file, reasons_files, remove_older_reasons
from include.schema import REASONS, REFERENCES, RELABELLING_REASONS
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.storage.row_lookup import write_sorted

SOURCE, DAY = "openfoodfacts", date(2026, 1, 5)
LATER = date(2026, 1, 6)
LIST = "ab" * 32
PINNED, PINNED_LATER = "2026-02-01T10:00:00+00:00", "2026-02-02T10:00:00.5+00:00"


@dataclass
class Row:
    """A row of reasons with what tells it apart."""

    product: int
    version: str = "1"
    rule: str | None = None
    reference_list: str | None = LIST
    day: date | None = None

    def values(self) -> dict[str, object]:
        row = {
            "product_id": f"{SOURCE}:{self.product}",
            "model_version": self.version,
            "text_labels": [{"label": "champagne", "probability": 0.75}],
            "photo_labels": None,
            "rule": self.rule,
            "rule_label": "champagne" if self.rule else None,
            "needed_confidence": 0.5,
            "review_reasons": [],
            "neighbours": [{"reference": 1, "similarity": 0.875}, {"reference": 0, "similarity": 0.5}],
            "reference_list": self.reference_list,
        }
        if self.reference_list is None:
            row["neighbours"] = None
        return row | ({"day": self.day} if self.day else {})


def write_day(lake: Lake, rows: list[Row], day: date = DAY) -> None:
    with lake.parquet_writer(Batch(SOURCE, day).file(Layer.REASONS), REASONS) as writer:
        write_sorted(writer, [pa.Table.from_pylist([row.values() for row in rows], schema=REASONS)], "product_id")


def write_relabelled(lake: Lake, rows: list[Row], pinned_at: str = PINNED, ids: tuple = (None, None)) -> str:
    path = reasons_file(rows[0].version, SOURCE, pinned_at, (DAY, LATER), ids)
    table = pa.Table.from_pylist([row.values() for row in rows], schema=RELABELLING_REASONS)
    with lake.parquet_writer(path, RELABELLING_REASONS) as writer:
        write_sorted(writer, [table], "product_id")
    return path


def write_references(lake: Lake) -> None:
    rows = [
        {"product_id": "shop:a", "label": "vinegar", "origin": "catalogue", "name": "Vinaigre", "text_hash": "t"},
        {
            "product_id": "openfoodfacts:b", "label": "champagne", "origin": "human", "name": None,
            "photo_sha256": "p", "photo_day": DAY,
        },
    ]  # fmt: skip
    lake.write_parquet(references_path(LIST), pa.Table.from_pylist(rows, schema=REFERENCES))


def found(lake: Lake, product: int = 7, day: date = DAY, version: str = "1") -> ProductReasons | None:
    return reasons_of(lake, f"{SOURCE}:{product}", SOURCE, day, version)


def test_the_reasons_of_a_day_are_found_by_product(any_lake: Lake) -> None:
    write_day(any_lake, [Row(number, rule=f"rule {number}") for number in np.random.default_rng(0).permutation(50)])
    write_references(any_lake)
    assert found(any_lake) == ProductReasons(
        text_labels=(LabelProbability("champagne", 0.75),),
        photo_labels=(),
        rule="rule 7",
        rule_label="champagne",
        needed_confidence=0.5,
        review_reasons=(),
        neighbours=(
            Neighbour("openfoodfacts:b", "champagne", "human", None, 0.875, "p", DAY),
            Neighbour("shop:a", "vinegar", "catalogue", "Vinaigre", 0.5, None, None),
        ),
        has_references=True,
    )
    assert [one.source for one in found(any_lake).neighbours] == ["openfoodfacts", "shop"]


def test_what_was_not_kept_is_none(any_lake: Lake) -> None:
    assert found(any_lake) is None
    write_day(any_lake, [Row(7)])
    assert found(any_lake, product=8) is None
    assert found(any_lake, day=LATER) is None
    assert found(any_lake, version="2") is None


def test_a_version_without_references_says_so(lake: Lake) -> None:
    write_day(lake, [Row(7, reference_list=None)])
    reasons = found(lake)
    assert reasons is not None
    assert (reasons.neighbours, reasons.has_references) == ((), False)


def test_a_lake_that_has_lost_the_references_still_has_the_other_reasons(lake: Lake) -> None:
    write_day(lake, [Row(7, rule="a rule")])
    reasons = found(lake)
    assert reasons is not None
    assert (reasons.rule, reasons.neighbours, reasons.has_references) == ("a rule", (), False)


def test_reasons_of_a_relabelled_product_are_those_of_the_version_that_it_has_now(any_lake: Lake) -> None:
    write_day(any_lake, [Row(7, "1", "by the day")])
    write_relabelled(any_lake, [Row(7, "2", "by relabelling", day=DAY), Row(8, "2", day=LATER)])
    assert found(any_lake).rule == "by the day"
    assert found(any_lake, version="2").rule == "by relabelling"
    assert found(any_lake, product=8, version="2") is None
    assert found(any_lake, product=8, day=LATER, version="2") is not None


def test_of_two_relabellings_with_a_version_the_later_counts(lake: Lake) -> None:
    write_relabelled(lake, [Row(7, "2", "later", day=DAY)], PINNED_LATER)
    write_relabelled(lake, [Row(7, "2", "earlier", day=DAY)], PINNED)
    assert found(lake, version="2").rule == "later"


def test_a_day_in_several_shards_is_searched_in_all(lake: Lake) -> None:
    for number in range(12):
        write_relabelled(lake, [Row(number, "2", f"rule {number}", day=DAY)], ids=(f"{SOURCE}:{number}", None))
    assert [found(lake, product=number, version="2").rule for number in (0, 11)] == ["rule 0", "rule 11"]


def test_a_shard_that_runs_again_replaces_its_file(lake: Lake) -> None:
    for rule in ("once", "again"):
        write_relabelled(lake, [Row(7, "2", rule, day=DAY)])
    assert len(lake.list_files(Layer.RELABELLING_REASONS)) == 1
    assert found(lake, version="2").rule == "again"


def test_files_of_other_days_are_not_looked_into(lake: Lake) -> None:
    path = write_relabelled(lake, [Row(7, "2", day=DAY)])
    lake.write_bytes(path.replace("part-", "part-other-"), b"no Parquet")
    assert reasons_files(lake, "2", SOURCE, DAY) == [path]
    assert reasons_files(lake, "2", SOURCE, date(2026, 1, 7)) == []
    assert reasons_files(lake, "2", "other", DAY) == []


def test_only_older_reasons_of_other_versions_are_removed(lake: Lake) -> None:
    older = write_relabelled(lake, [Row(7, "1", day=DAY)], PINNED)
    same = write_relabelled(lake, [Row(7, "2", day=DAY)], PINNED)
    newer = write_relabelled(lake, [Row(7, "3", day=DAY)], PINNED_LATER)
    remove_older_reasons(lake, "2", "2026-02-01T12:00:00+00:00")
    assert lake.list_files(Layer.RELABELLING_REASONS) == sorted([same, newer])
    assert not lake.exists(older)


@pytest.mark.parametrize("name", ["..", "../secret", "a/b", "", "a\x00", ".hidden", "é", "*", "a" * 5_000])
def test_what_cannot_be_a_name_leads_to_no_path(lake: Lake, name: str) -> None:
    assert reasons_of(lake, f"{name}:7", name, DAY, "1") is None
    assert reasons_of(lake, f"{SOURCE}:7", SOURCE, DAY, name) is None
