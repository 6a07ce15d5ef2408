"""Analysts read a layer of the lake as one dataset with the tools they have.

Spark needs Java and is not tested here; it reads the same Hive layout (`source=…/day=…`) as the readers below.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest

from include.schema import LABELS
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from tests.warehouse.rows import labels_table

DAYS = (date(2026, 1, 5), date(2026, 1, 6))
COUNTS = {("edamam", DAYS[0]): 1, ("openfoodfacts", DAYS[0]): 3, ("openfoodfacts", DAYS[1]): 2}


def fill(lake: Lake) -> None:
    """Three days of two sources, and a writer's leftover that no reader may take for data."""
    for (source, day), count in COUNTS.items():
        # A column without a value must not get another type than in the other files.
        table = labels_table(range(count), source=source, description=None if source == "edamam" else "x")
        lake.write_parquet(Batch(source, day).file(Layer.LABELS), table)
    if lake.is_local:
        Path(lake.full_path(Batch("edamam", DAYS[0]).file(Layer.LABELS))).with_name(".part.0.tmp").write_bytes(b"half")


def test_pandas_reads_the_labels_as_one_frame(any_lake: Lake) -> None:
    fill(any_lake)
    frame = pd.read_parquet(any_lake.full_path("labels"), filesystem=any_lake.filesystem)
    counts = frame.groupby(["source", "day"], observed=True).size()
    assert {(source, date.fromisoformat(day)): count for (source, day), count in counts.items()} == COUNTS
    assert set(LABELS.names) | {"source", "day"} == set(frame.columns)


def test_pandas_reads_only_the_partition_asked_for(lake: Lake) -> None:
    fill(lake)
    frame = pd.read_parquet(lake.url("labels"), filters=[("source", "=", "openfoodfacts"), ("day", "=", "2026-01-06")])
    assert len(frame) == COUNTS["openfoodfacts", DAYS[1]]


def test_pyarrow_reads_the_labels_as_one_dataset(any_lake: Lake) -> None:
    fill(any_lake)
    dataset = ds.dataset(any_lake.full_path("labels"), filesystem=any_lake.filesystem, partitioning="hive")
    table = dataset.to_table(filter=(ds.field("source") == "openfoodfacts") & (ds.field("decision") == "accepted"))
    assert table.num_rows == 1 + 2 + 1 - 1
    assert [dataset.schema.field(field.name).type for field in LABELS] == [field.type for field in LABELS]


@pytest.mark.parametrize("threads", [1, 4])
def test_duckdb_reads_the_labels_as_one_table_with_a_true_date(lake: Lake, threads: int) -> None:
    fill(lake)
    with duckdb.connect(config={"threads": threads}) as connection:
        query = "SELECT source, day, count(*) FROM read_parquet(?, hive_partitioning = true) GROUP BY ALL"
        rows = connection.execute(query, [lake.url("labels/**/*.parquet")]).fetchall()
        assert {(source, day): count for source, day, count in rows} == COUNTS
        best = "SELECT DISTINCT top_labels[1].label FROM read_parquet(?, hive_partitioning = true)"
        assert connection.execute(best, [lake.url("labels/**/*.parquet")]).fetchall() == [("champagne",)]
