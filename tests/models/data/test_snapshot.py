"""A snapshot is named by its content, and is refused when it is no longer what its name says."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.models.data.snapshot import (
    SNAPSHOT,
    Manifest,
    SnapshotDamaged,
    read_manifest,
    read_snapshot,
    snapshot_folder,
    snapshot_id,
    write_snapshot,
)
from include.storage.lake import Lake


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "product_id": f"shop:{number}", "name": f"Champagne {number}", "brand": None, "description": None,
        "ingredients": None, "text_hash": f"{number:064x}", "photo_sha256": None, "label": "champagne",
        "origin": "catalogue", "rule_label": None, "content_group": f"t{number:016x}", "part": "training",
    } | changed  # fmt: skip


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SNAPSHOT)


ROWS = table(row(1), row(2, part="gold"), row(3, label="vinegar", origin="human"))


def write(lake: Lake, rows: pa.Table = ROWS, as_of: str = "2026-01-11") -> Manifest:
    return write_snapshot(
        lake, rows, as_of=as_of, left_out={"contradictory": 2}, taxonomy_identity="t" * 64, gold_share=0.1,
        query={"products": ["a"]}, code_version="0.1.0",
    )  # fmt: skip


def test_a_snapshot_is_read_back_with_counts_of_what_it_holds(any_lake: Lake) -> None:
    manifest = write(any_lake)
    found = read_snapshot(any_lake, manifest.snapshot)
    assert found.table.equals(ROWS)
    assert found.manifest == manifest
    assert found.gold["product_id"].to_pylist() == ["shop:2"]
    assert found.training["product_id"].to_pylist() == ["shop:1", "shop:3"]
    assert manifest.products == {"gold": 1, "training": 2}
    assert manifest.labels == {"champagne": {"gold": 1, "training": 1}, "vinegar": {"training": 1}}
    assert manifest.origins == {"catalogue": {"gold": 1, "training": 1}, "human": {"training": 1}}
    assert manifest.sources == {"shop": {"gold": 1, "training": 2}}


def test_written_again_in_a_later_week_it_stays_as_it_is(lake: Lake) -> None:
    first = write(lake)
    before = {path: lake.read_bytes(path) for path in lake.list_files("snapshots")}
    assert write(lake, as_of="2026-02-01") == first
    assert {path: lake.read_bytes(path) for path in lake.list_files("snapshots")} == before


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([name for name in SNAPSHOT.names if name != "product_id"]), st.text(min_size=1, max_size=5))
def test_another_value_anywhere_gives_another_id(column: str, value: str) -> None:
    changed = table(row(1, **{column: value}), row(2, part="gold"), row(3, label="vinegar", origin="human"))
    assert (snapshot_id(changed, "t") == snapshot_id(ROWS, "t")) == changed.equals(ROWS)
    assert snapshot_id(ROWS, "t") != snapshot_id(ROWS, "another taxonomy")


def test_how_a_table_is_cut_into_chunks_does_not_matter() -> None:
    assert snapshot_id(pa.concat_tables([ROWS[:1], ROWS[1:]]).combine_chunks(), "t") == snapshot_id(ROWS, "t")


def test_a_changed_or_absent_file_is_refused_and_made_again(lake: Lake) -> None:
    number = write(lake).snapshot
    path = f"{snapshot_folder(number)}/part-00000.parquet"
    whole = lake.read_bytes(path)
    lake.write_parquet(path, table(row(1, label="vinegar"), row(2), row(3)))
    with pytest.raises(SnapshotDamaged, match="changed after it was written"):
        read_snapshot(lake, number)
    lake.delete(path)
    with pytest.raises(SnapshotDamaged, match="missing"):
        read_snapshot(lake, number)
    assert write(lake).snapshot == number
    assert lake.read_bytes(path) == whole


def test_an_unknown_id_is_named(lake: Lake) -> None:
    with pytest.raises(SnapshotDamaged, match="snapshot=" + "0" * 64):
        read_manifest(lake, "0" * 64)
