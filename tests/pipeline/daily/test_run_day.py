"""A whole day of one source, in one process, against real servers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from include.errors import BatchRejected, NoChampionError, SourceError, WarehouseUnreachable
from include.pipeline.daily.run_day import run_day
from include.pipeline.daily.shards import plan_shards
from include.settings import Settings
from include.sources import get_source
from include.sources.connection import SourceConnection
from include.sources.landing import Landing
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from tests.fixtures.trained import FIRST_DAY, SECOND_DAY, SOURCE


def count(engine: Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def test_a_day_ends_with_every_record_labelled_or_quarantined(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    summary = run_day(SOURCE, FIRST_DAY, settings, connection)

    records = list(get_source(SOURCE).read(FIRST_DAY, Landing(lake, Batch(SOURCE, FIRST_DAY))))
    assert summary["labelled"] > 0
    assert summary["quarantined"] > 0
    assert summary["labelled"] + summary["quarantined"] == len(records)
    assert summary["accepted"] + summary["reviewed"] == summary["labelled"]
    assert count(warehouse, "SELECT count(*) FROM labelled_products") == summary["labelled"]
    assert count(warehouse, "SELECT count(*) FROM quarantined_products") == summary["quarantined"]
    assert lake.read_parquet(Batch(SOURCE, FIRST_DAY).file(Layer.LABELS)).num_rows == summary["labelled"]
    assert lake.exists(summary["report"])
    assert lake.list_files("staging") == []


def test_photos_that_the_connection_refused_come_when_it_allows_them(
    settings: Settings, connection: SourceConnection
) -> None:
    strict = replace(connection, allow_private_hosts=False)
    assert run_day(SOURCE, FIRST_DAY, settings, strict)["photos"].get("ok", 0) == 0
    assert run_day(SOURCE, FIRST_DAY, settings, connection)["photos"]["ok"] > 0


def test_an_api_without_change_times_brings_each_product_once(
    settings: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
    first = run_day("edamam", FIRST_DAY, settings, connection)
    second = run_day("edamam", SECOND_DAY, settings, connection)
    assert first["labelled"] > 0
    assert second["labelled"] == 0
    assert count(warehouse, "SELECT count(*) FROM labelled_products WHERE source = 'edamam'") == first["labelled"]


def test_a_broken_batch_leaves_a_report_and_no_row(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    strict = settings.model_copy(update={"max_rejected_share": 0.0})
    with pytest.raises(BatchRejected, match=r"index\.html"):
        run_day(SOURCE, FIRST_DAY, strict, connection)
    assert [path for path in lake.list_files("reports") if path.endswith("index.html")]
    assert lake.list_files("products") == []
    assert lake.list_files("staging") == []
    assert count(warehouse, "SELECT count(*) FROM labelled_products") == 0


def test_without_a_champion_the_message_names_the_command_that_trains_one(
    settings: Settings, connection: SourceConnection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    untrained = settings.model_copy(
        update={"state_dir": tmp_path_factory.mktemp("untrained"), "lake_url": settings.lake_root}
    )
    with pytest.raises(NoChampionError, match="python -m include train"):
        run_day(SOURCE, FIRST_DAY, untrained, connection)


def test_an_unreachable_warehouse_keeps_parquet_and_a_rerun_publishes(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    unreachable = settings.model_copy(
        update={"warehouse_url": SecretStr("postgresql+psycopg://cuvee:hidden-word@127.0.0.1:9/cuvee")}
    )
    with pytest.raises(WarehouseUnreachable) as failure:
        run_day(SOURCE, FIRST_DAY, unreachable, connection)
    assert "hidden-word" not in str(failure.value)
    labelled = lake.read_parquet(Batch(SOURCE, FIRST_DAY).file(Layer.LABELS)).num_rows
    assert run_day(SOURCE, FIRST_DAY, settings, connection)["labelled"] == labelled
    assert count(warehouse, "SELECT count(*) FROM labelled_products") == labelled


def test_an_api_that_is_down_is_a_clear_error_and_the_next_try_resumes(
    settings: Settings, connection: SourceConnection
) -> None:
    quick = settings.model_copy(update={"http_attempts": 2, "http_backoff_seconds": 0.01})
    down = SourceConnection(base_url="http://127.0.0.1:9", search_url="http://127.0.0.1:9", allow_private_hosts=True)
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:9"):
        run_day(SOURCE, FIRST_DAY, quick, down)
    assert run_day(SOURCE, FIRST_DAY, quick, connection)["labelled"] > 0


def test_no_credential_reaches_the_lake(settings: Settings, lake: Lake, connection: SourceConnection) -> None:
    secret = SourceConnection(
        base_url=connection.base_url, app_id="an-application-id", app_key="a-very-secret-key", allow_private_hosts=True
    )
    run_day("edamam", FIRST_DAY, settings, secret)
    contents: Callable[[str], bytes] = lake.read_bytes
    for path in lake.list_files("landing"):
        body = gzip.decompress(contents(path)) if path.endswith(".gz") else contents(path)
        assert b"a-very-secret-key" not in body
        assert b"an-application-id" not in body


def test_summaries_are_small_and_json(settings: Settings, connection: SourceConnection) -> None:
    summary = run_day(SOURCE, FIRST_DAY, settings, connection)
    shards = plan_shards(Batch(SOURCE, FIRST_DAY), settings)
    assert len(shards) > 1
    assert len(json.dumps(summary)) < 2_000
    assert len(json.dumps(shards[0])) < 1_000
