"""A day that was labelled and is run again, changed, damaged or published again; each test has a copy of that day."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from include.errors import BatchRejected, StepMissing
from include.pipeline.daily.classify import classify
from include.pipeline.daily.embed import embed_images, embed_text
from include.pipeline.daily.fetch import fetch_day
from include.pipeline.daily.publish import publish_day
from include.pipeline.daily.run_day import run_day
from include.pipeline.daily.shards import plan_shards
from include.pipeline.daily.validate import validate_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.sources.openfoodfacts_delta import day_bounds
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from include.warehouse.reviews import record_review
from tests.fixtures.storage import settings_for
from tests.fixtures.trained import FIRST_DAY, SECOND_DAY, SOURCE, THIRD_DAY
from tests.pipeline.prepared import Prepared
from tests.pipeline.state import lake_state, warehouse_state
from tests.sources.api_server import Answer, ApiServer, gzip_lines


@pytest.fixture
def warehouse_settings(labelled_day: Prepared, tmp_path: Path) -> Settings:
    """The warehouse of the labelled day, its lake beside it."""
    return settings_for(tmp_path / "state", labelled_day.copy(tmp_path / "lake"))


def count(engine: Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def test_a_missing_or_broken_photo_leaves_its_reason_and_the_product_goes_on(
    settings: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
    with warehouse.connect() as database:
        rows = database.execute(text("SELECT photo_status, count(*) AS n FROM labelled_products GROUP BY 1"))
        statuses = {row.photo_status: row.n for row in rows}
    assert statuses.get("ok", 0) > 0
    assert set(statuses) - {"ok"}


def test_running_a_day_twice_changes_no_file_and_no_row(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    before = lake_state(lake), warehouse_state(warehouse)
    run_day(SOURCE, FIRST_DAY, settings, connection)
    assert (lake_state(lake), warehouse_state(warehouse)) == before


def test_a_second_run_decodes_no_photo_and_embeds_no_text(settings: Settings, connection: SourceConnection) -> None:
    for shard in plan_shards(Batch(SOURCE, FIRST_DAY), settings):
        photos = embed_images(shard, settings, allow_private_hosts=True)
        assert photos["wanted"] > 0
        assert photos["computed"] == 0
        assert embed_text(shard, settings)["computed"] == 0


def test_photos_take_part_in_the_labels(settings: Settings, connection: SourceConnection, warehouse: Engine) -> None:
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
    path, lines = landed_lines(lake)
    smaller = gzip.compress(b"".join(lines[:kept]))
    lake.write_bytes(path, smaller)
    run_day(SOURCE, FIRST_DAY, settings, connection, allow_empty=kept == 0)

    fresh = settings.model_copy(
        update={"lake_url": str(tmp_path / "fresh"), "warehouse_url": SecretStr(make_database())}
    )
    fetch_day(Batch(SOURCE, FIRST_DAY), fresh, connection)
    fresh_lake = Lake(fresh.lake_root)
    fresh_lake.write_bytes(path, smaller)
    run_day(SOURCE, FIRST_DAY, fresh, connection)
    layers = ("products", "quarantine", "images", "labels", "reasons", "staging")
    assert lake_state(lake, layers) == lake_state(fresh_lake, layers)
    with open_engine(fresh.warehouse_dsn) as engine:
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
    for path in lake.list_files("embeddings"):
        if f"encoder={encoder}" in path:
            lake.delete(path)
    with pytest.raises(StepMissing, match=r"embed_(text|images) for this shard again"):
        classify(plan_shards(Batch(SOURCE, FIRST_DAY), settings)[0], settings)


def empty_answers(api: ApiServer) -> SourceConnection:
    """A connection to a server whose delta file of the first day is empty."""
    name = "openfoodfacts_products_{}_{}.json.gz".format(*day_bounds(FIRST_DAY))
    api.on("/data/delta/index.txt", Answer(name.encode()))
    api.on(f"/data/delta/{name}", Answer(gzip.compress(b"")))
    return SourceConnection(api.url, allow_private_hosts=True)


KEPT = ("landing", "products", "quarantine", "images", "embeddings", "readings", "labels", "staging")


@pytest.mark.parametrize("refetch", [True, False])
def test_an_empty_answer_removes_nothing_of_a_labelled_day_without_a_persons_word(
    refetch: bool, settings: Settings, lake: Lake, warehouse: Engine
) -> None:
    api = ApiServer()
    try:
        empty = empty_answers(api)
        if not refetch:  # what was landed is lost, and the source has nothing any more
            lake.delete("landing")
            fetch_day(Batch(SOURCE, FIRST_DAY), settings, empty)
        before = lake_state(lake, KEPT), warehouse_state(warehouse)
        with pytest.raises(BatchRejected, match=r"kept|nothing was replaced") as refusal:
            run_day(SOURCE, FIRST_DAY, settings, empty, refetch=refetch)
        assert "--allow-empty" in str(refusal.value)
        assert (lake_state(lake, KEPT), warehouse_state(warehouse)) == before

        run_day(SOURCE, FIRST_DAY, settings, empty, refetch=refetch, allow_empty=True)
    finally:
        api.close()
    assert [lake.list_files(layer) for layer in ("products", "labels", "images", "staging")] == [[]] * 4
    assert count(warehouse, "SELECT count(*) FROM labelled_products") == 0
    # The word was given: running the day again needs none.
    run_day(SOURCE, FIRST_DAY, settings, empty)


def test_a_day_that_comes_back_with_nothing_but_bad_records_keeps_its_products(
    settings: Settings, lake: Lake, warehouse: Engine, connection: SourceConnection
) -> None:
    path, _lines = landed_lines(lake)
    moment = day_bounds(FIRST_DAY)[0] + 60
    bad = [{"code": "", "product_name": f"Champagne {n}", "last_modified_t": moment} for n in range(5)]
    before = lake_state(lake, ("products", "labels")), warehouse_state(warehouse)
    lake.write_bytes(path, gzip_lines(bad))
    with pytest.raises(BatchRejected, match=r"not_emptied.*products of the earlier run are kept.*--allow-empty"):
        run_day(SOURCE, FIRST_DAY, settings, connection)
    assert (lake_state(lake, ("products", "labels")), warehouse_state(warehouse)) == before


def test_far_fewer_products_are_refused_where_the_settings_ask_for_a_share(
    settings: Settings, lake: Lake, connection: SourceConnection, caplog: pytest.LogCaptureFixture
) -> None:
    path, lines = landed_lines(lake)
    lake.write_bytes(path, gzip.compress(b"".join(lines[:30])))
    before = lake_state(lake, ("products",))
    with pytest.raises(BatchRejected, match=r"not_emptied.*at least \d+ come again"):
        validate_day(Batch(SOURCE, FIRST_DAY), settings.model_copy(update={"min_volume_share": 0.5}))
    assert lake_state(lake, ("products",)) == before
    validate_day(Batch(SOURCE, FIRST_DAY), settings)
    assert "the others go" in caplog.text


def test_a_lake_that_has_nothing_of_a_day_takes_nothing_from_the_warehouse_without_a_persons_word(
    settings: Settings, warehouse: Engine, tmp_path: Path
) -> None:
    before = warehouse_state(warehouse)
    elsewhere = settings.model_copy(update={"lake_url": str(tmp_path / "elsewhere")})
    api = ApiServer()
    try:
        empty = empty_answers(api)
        with pytest.raises(BatchRejected, match=r"nothing was removed.*--allow-empty"):
            run_day(SOURCE, FIRST_DAY, elsewhere, empty)
        assert warehouse_state(warehouse) == before
        run_day(SOURCE, FIRST_DAY, elsewhere, empty, allow_empty=True)
    finally:
        api.close()
    assert count(warehouse, "SELECT count(*) FROM labelled_products") == 0


def test_products_that_an_earlier_day_has_just_so_leave_a_later_one_without_a_word(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    second = run_day("edamam", SECOND_DAY, settings, connection)
    first = run_day("edamam", FIRST_DAY, settings, connection)
    assert first["labelled"] == second["labelled"] > 0
    assert run_day("edamam", SECOND_DAY, settings, connection)["labelled"] == 0
    labelled = "SELECT count(*) FROM labelled_products WHERE source = 'edamam'"
    assert count(warehouse, labelled) == first["labelled"]


def test_labels_of_an_earlier_validation_are_not_published(
    settings: Settings, lake: Lake, connection: SourceConnection
) -> None:
    path, lines = landed_lines(lake)
    lake.write_bytes(path, gzip.compress(b"".join(lines[:30])))
    validate_day(Batch(SOURCE, FIRST_DAY), settings)
    with pytest.raises(StepMissing, match="run embed and classify"):
        publish_day(Batch(SOURCE, FIRST_DAY), settings)


def test_a_batch_records_how_many_labels_may_be_trained_on(
    settings: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
    stored = count(warehouse, "SELECT count(*) FROM training_labels")
    assert stored > 0
    assert count(warehouse, "SELECT training_labels FROM batches") == stored


def test_days_may_be_redone_in_any_order(
    settings: Settings, lake: Lake, connection: SourceConnection, warehouse: Engine
) -> None:
    for day in (SECOND_DAY, THIRD_DAY):
        run_day(SOURCE, day, settings, connection)
    before = lake_state(lake), warehouse_state(warehouse)
    for day in (THIRD_DAY, FIRST_DAY, SECOND_DAY):
        run_day(SOURCE, day, settings, connection)
    assert (lake_state(lake), warehouse_state(warehouse)) == before


def test_a_broken_batch_does_not_replace_the_products_of_a_good_one(
    settings: Settings, lake: Lake, connection: SourceConnection
) -> None:
    before = lake_state(lake, ("products", "labels"))
    with pytest.raises(BatchRejected):
        validate_day(Batch(SOURCE, FIRST_DAY), settings.model_copy(update={"max_rejected_share": 0.0}))
    assert lake_state(lake, ("products", "labels")) == before


def test_a_persons_label_survives_later_predictions(
    settings: Settings, connection: SourceConnection, warehouse: Engine
) -> None:
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
