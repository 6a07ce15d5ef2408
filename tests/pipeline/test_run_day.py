"""A whole day of one source, in one process, against real servers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from include.errors import BatchRejected, NoChampionError, SourceError, StepMissing, WarehouseUnreachable
from include.pipeline.classify import classify
from include.pipeline.embed import embed_images, embed_text
from include.pipeline.fetch import fetch_day
from include.pipeline.publish import publish_day
from include.pipeline.run_day import run_day
from include.pipeline.shards import plan_shards
from include.pipeline.validate import validate_day
from include.settings import Settings
from include.sources import get_source
from include.sources.connection import SourceConnection
from include.sources.landing import Landing
from include.warehouse.engine import open_engine
from include.warehouse.lake import Lake
from include.warehouse.reviews import record_review
from tests.fixtures.trained import FIRST_DAY, SECOND_DAY, SOURCE, THIRD_DAY
from tests.pipeline.state import lake_state, warehouse_state


def count(engine: Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def test_a_day_ends_with_every_record_labelled_or_quarantined(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    summary = run_day(SOURCE, FIRST_DAY, settings, connection)

    records = list(get_source(SOURCE).read(FIRST_DAY, Landing(lake, SOURCE, FIRST_DAY)))
    assert summary["labelled"] > 0
    assert summary["quarantined"] > 0
    assert summary["labelled"] + summary["quarantined"] == len(records)
    assert summary["accepted"] + summary["reviewed"] == summary["labelled"]
    assert count(warehouse, "SELECT count(*) FROM labelled_products") == summary["labelled"]
    assert count(warehouse, "SELECT count(*) FROM quarantined_products") == summary["quarantined"]
    assert lake.read_parquet(Lake.day_file("labels", SOURCE, FIRST_DAY)).num_rows == summary["labelled"]
    assert lake.exists(summary["report"])
    assert lake.list_files("staging") == []


def test_a_missing_or_broken_photo_leaves_its_reason_and_the_product_goes_on(
    settings: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    with warehouse.connect() as database:
        rows = database.execute(text("SELECT photo_status, count(*) AS n FROM labelled_products GROUP BY 1"))
        statuses = {row.photo_status: row.n for row in rows}
    assert statuses.get("ok", 0) > 0
    assert set(statuses) - {"ok"}


def test_photos_that_the_connection_refused_come_when_it_allows_them(
    settings: Settings, connection: SourceConnection
) -> None:
    strict = replace(connection, allow_private_hosts=False)
    assert run_day(SOURCE, FIRST_DAY, settings, strict)["photos"].get("ok", 0) == 0
    assert run_day(SOURCE, FIRST_DAY, settings, connection)["photos"]["ok"] > 0


def test_running_a_day_twice_changes_no_file_and_no_row(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    before = lake_state(lake), warehouse_state(warehouse)
    run_day(SOURCE, FIRST_DAY, settings, connection)
    assert (lake_state(lake), warehouse_state(warehouse)) == before


def test_a_second_run_decodes_no_photo_and_embeds_no_text(settings: Settings, connection: SourceConnection) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    for shard in plan_shards(SOURCE, FIRST_DAY, settings):
        photos = embed_images(shard, settings, allow_private_hosts=True)
        assert photos["wanted"] > 0
        assert photos["computed"] == 0
        assert embed_text(shard, settings)["computed"] == 0


def test_photos_take_part_in_the_labels(settings: Settings, connection: SourceConnection, warehouse: Engine) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    assert count(warehouse, "SELECT count(*) FROM labelled_products WHERE photo_status = 'ok'") > 0
    assert (
        count(warehouse, "SELECT count(*) FROM labelled_products WHERE (modality = 'fusion') <> (photo_status = 'ok')")
        == 0
    )


def landed_lines(lake: Lake) -> tuple[str, list[bytes]]:
    """The landed delta file of the first day, and its lines."""
    (path,) = (path for path in lake.list_files("landing") if path.endswith(".json.gz"))
    return path, gzip.decompress(lake.read_bytes(path)).splitlines(keepends=True)


@pytest.mark.parametrize("kept", [0, 30])
def test_a_day_that_has_become_smaller_or_empty_leaves_nothing_of_what_it_was(
    kept: int,
    settings: Settings,
    lake: Lake,
    connection: SourceConnection,
    warehouse: Engine,
    make_database: Callable[[], str],
    tmp_path: Path,
) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    path, lines = landed_lines(lake)
    smaller = gzip.compress(b"".join(lines[:kept]))
    lake.write_bytes(path, smaller)
    run_day(SOURCE, FIRST_DAY, settings, connection)

    fresh = settings.model_copy(
        update={"lake_url": str(tmp_path / "fresh"), "warehouse_url": SecretStr(make_database())}
    )
    fetch_day(SOURCE, FIRST_DAY, fresh, connection)
    fresh_lake = Lake(fresh.lake_root)
    fresh_lake.write_bytes(path, smaller)
    run_day(SOURCE, FIRST_DAY, fresh, connection)
    layers = ("products", "quarantine", "images", "labels", "staging")
    assert lake_state(lake, layers) == lake_state(fresh_lake, layers)
    with open_engine(fresh) as engine:
        found, expected = warehouse_state(warehouse), warehouse_state(engine)
    for state in (found, expected):
        # A history is never shortened; a batch without products does not know a model version.
        del state["label_history"]
        for batch in state["batches"]:
            del batch["model_version"]
    assert found == expected


@pytest.mark.parametrize("encoder", ["tfidf-svd", "cuvee_compact"])
def test_a_shard_whose_embeddings_are_gone_is_not_labelled_without_them(
    encoder: str, settings: Settings, lake: Lake, connection: SourceConnection
) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    for path in lake.list_files("embeddings"):
        if f"encoder={encoder}" in path:
            lake.delete(path)
    with pytest.raises(StepMissing, match=r"embed_(text|images) for this shard again"):
        classify(plan_shards(SOURCE, FIRST_DAY, settings)[0], settings)


def test_labels_of_an_earlier_validation_are_not_published(
    settings: Settings, lake: Lake, connection: SourceConnection
) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    path, lines = landed_lines(lake)
    lake.write_bytes(path, gzip.compress(b"".join(lines[:30])))
    validate_day(SOURCE, FIRST_DAY, settings)
    with pytest.raises(StepMissing, match="run embed and classify"):
        publish_day(SOURCE, FIRST_DAY, settings)


def test_a_batch_records_how_many_labels_may_be_trained_on(
    settings: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    stored = count(warehouse, "SELECT count(*) FROM training_labels")
    assert stored > 0
    assert count(warehouse, "SELECT training_labels FROM batches") == stored


def test_days_may_be_redone_in_any_order(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    for day in (FIRST_DAY, SECOND_DAY, THIRD_DAY):
        run_day(SOURCE, day, settings, connection)
    before = lake_state(lake), warehouse_state(warehouse)
    for day in (THIRD_DAY, FIRST_DAY, SECOND_DAY):
        run_day(SOURCE, day, settings, connection)
    assert (lake_state(lake), warehouse_state(warehouse)) == before


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


def test_a_broken_batch_does_not_replace_the_products_of_a_good_one(
    settings: Settings, lake: Lake, connection: SourceConnection
) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    before = lake_state(lake, ("products", "labels"))
    with pytest.raises(BatchRejected):
        validate_day(SOURCE, FIRST_DAY, settings.model_copy(update={"max_rejected_share": 0.0}))
    assert lake_state(lake, ("products", "labels")) == before


def test_without_a_champion_the_message_names_the_command_that_trains_one(
    settings: Settings, connection: SourceConnection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    untrained = settings.model_copy(
        update={"state_dir": tmp_path_factory.mktemp("untrained"), "lake_url": settings.lake_root}
    )
    with pytest.raises(NoChampionError, match="python -m include train"):
        run_day(SOURCE, FIRST_DAY, untrained, connection)


def test_a_persons_label_survives_later_predictions(
    settings: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
    run_day(SOURCE, FIRST_DAY, settings, connection)
    with warehouse.connect() as database:
        product_id = database.execute(
            text("SELECT product_id FROM labelled_products WHERE label <> 'juice' ORDER BY 1 LIMIT 1")
        ).scalar_one()
    record_review(warehouse, product_id, "juice", department="Fine Grocery", reviewer="Ana", comment="it is a juice")
    run_day(SOURCE, FIRST_DAY, settings, connection)
    with warehouse.connect() as database:
        row = database.execute(
            text("SELECT label, decided_by, predicted_label FROM labelled_products WHERE product_id = :id"),
            {"id": product_id},
        ).one()
    assert row.label == "juice"
    assert row.decided_by == "human"
    assert row.predicted_label != "juice"


def test_an_unreachable_warehouse_keeps_parquet_and_a_rerun_publishes(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    unreachable = settings.model_copy(
        update={"warehouse_url": SecretStr("postgresql+psycopg://cuvee:hidden-word@127.0.0.1:9/cuvee")}
    )
    with pytest.raises(WarehouseUnreachable) as failure:
        run_day(SOURCE, FIRST_DAY, unreachable, connection)
    assert "hidden-word" not in str(failure.value)
    labelled = lake.read_parquet(Lake.day_file("labels", SOURCE, FIRST_DAY)).num_rows
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
    shards = plan_shards(SOURCE, FIRST_DAY, settings)
    assert len(shards) > 1
    assert len(json.dumps(summary)) < 2_000
    assert len(json.dumps(shards[0])) < 1_000
