"""Each labelled product has its reasons, and they are about the label that it has now."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import Engine, text

from include.models.reasons.reading import ProductReasons, reasons_of
from include.models.reasons.sentences import REVIEW_REASONS
from include.pipeline.daily.classify import classify
from include.pipeline.daily.publish import publish_day
from include.pipeline.daily.shards import plan_shards
from include.pipeline.daily.validate import validate_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import load_taxonomy
from tests.fixtures.storage import settings_for
from tests.fixtures.trained import FIRST_DAY, SOURCE
from tests.pipeline.prepared import Prepared
from tests.pipeline.state import lake_state, warehouse_state

BATCH = Batch(SOURCE, FIRST_DAY)


@pytest.fixture
def warehouse_settings(labelled_day: Prepared, tmp_path) -> Settings:
    """The warehouse of the labelled day, its lake beside it."""
    return settings_for(tmp_path / "state", labelled_day.copy(tmp_path / "lake"))


def products(engine: Engine) -> list[dict[str, object]]:
    rows = warehouse_state(engine)["labelled_products"]
    return [{name: json.loads(value) for name, value in row.items()} for row in rows]


def reasons(lake: Lake, row: dict[str, object]) -> ProductReasons | None:
    day = date.fromisoformat(str(row["last_seen_day"]))
    return reasons_of(lake, str(row["product_id"]), str(row["source"]), day, str(row["model_version"]))


def test_every_product_has_reasons_that_agree_with_its_row(lake: Lake, warehouse: Engine) -> None:
    found = [(row, reasons(lake, row)) for row in products(warehouse)]
    assert len(found) > 100
    taxonomy = load_taxonomy()
    ruled = 0
    for row, why in found:
        assert why is not None and why.has_references
        assert (not why.review_reasons) == (row["decision"] == "accepted")
        assert set(why.review_reasons) <= set(REVIEW_REASONS)
        assert ("unfamiliar" in why.review_reasons) == ("unfamiliar" in (row["flags"] or []))
        assert ("rule_disagrees" in why.review_reasons) == ("rule_disagrees" in (row["flags"] or []))
        assert bool(why.photo_labels) == (row["photo_status"] == "ok")
        assert why.text_labels
        if row["modality"] == "text":
            assert why.text_labels[0].label in [one["label"] for one in row["top_labels"]]  # type: ignore[attr-defined]
        rule = taxonomy.matching_rule(row["name"], row["ingredients"], row["brand"])  # type: ignore[arg-type]
        assert (why.rule, why.rule_label) == ((rule.name, rule.label) if rule else (None, None))
        ruled += rule is not None
        assert 0 < len(why.neighbours) <= 5
        assert all(one.product_id != row["product_id"] for one in why.neighbours)
        similarities = [one.similarity for one in why.neighbours]
        assert similarities == sorted(similarities, reverse=True)
    assert ruled
    like = [why.neighbours[0].label == row["predicted_label"] for row, why in found if why is not None]
    assert sum(like) > 0.6 * len(like)  # the model of the tests has learnt from twelve products of each label


def test_neighbours_have_a_name_and_a_photo_that_the_lake_has(
    lake: Lake, warehouse: Engine, model_home, settings: Settings
) -> None:
    neighbours = {one for row in products(warehouse) for one in reasons(lake, row).neighbours}
    assert all(one.name for one in neighbours)
    with_photo = [one for one in neighbours if one.photo_sha256]
    assert with_photo
    trained_in = Lake(str(model_home / "lake"))
    for one in with_photo:
        paths = trained_in.list_files(Batch(one.source, one.photo_day).folder(Layer.IMAGES), ".parquet")
        assert any(one.photo_sha256 in trained_in.read_parquet(p, ["sha256"])["sha256"].to_pylist() for p in paths)


def test_a_day_that_loses_its_products_loses_their_reasons(
    lake: Lake, settings: Settings, connection: SourceConnection
) -> None:
    assert lake.exists(BATCH.file(Layer.REASONS))
    lake.delete(BATCH.file(Layer.PRODUCTS))
    publish_day(BATCH, settings, allow_empty=True)
    assert not lake.exists(BATCH.file(Layer.REASONS))
    assert not lake.exists(BATCH.file(Layer.LABELS))


def staged_again(settings: Settings) -> None:
    for shard in plan_shards(BATCH, settings):
        classify(shard, settings)


@pytest.mark.parametrize("what", ["absent", "of another version"])
def test_labels_whose_reasons_are_not_theirs_are_published_without(
    what: str, lake: Lake, settings: Settings, warehouse: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    staged_again(settings)
    path = BATCH.staged_file(Layer.REASONS, 1)
    if what == "absent":
        lake.delete(path)
    else:
        table = lake.read_parquet(path)
        place = table.schema.get_field_index("model_version")
        lake.write_parquet(path, table.set_column(place, table.schema.field(place), [["99"] * table.num_rows]))
    published = publish_day(BATCH, settings)
    assert published["labelled"] == len(products(warehouse))
    assert not lake.exists(BATCH.file(Layer.REASONS))
    assert "classify again" in caplog.text
    assert reasons(lake, products(warehouse)[0]) is None


def test_reasons_do_not_change_a_row_of_the_labels(lake: Lake, settings: Settings, monkeypatch) -> None:
    before = lake_state(lake, ("labels", "reasons"))
    staged_again(settings)
    publish_day(BATCH, settings)
    assert lake_state(lake, ("labels", "reasons")) == before


def test_a_product_like_a_trusted_one_of_the_same_id_is_not_shown_itself(lake: Lake, warehouse: Engine) -> None:
    """The split rule: what was trained on is none of its own reasons, whatever day brings it again."""
    with warehouse.connect() as connection:
        own = connection.execute(text("SELECT product_id, photo_sha256 FROM labelled_products")).all()
    for (product_id, photo), row in zip(sorted(own), products(warehouse), strict=True):
        assert row["product_id"] == product_id
        for one in reasons(lake, row).neighbours:
            assert one.product_id != product_id
            assert one.photo_sha256 is None or one.photo_sha256 != photo


def test_a_day_validated_again_is_not_explained_by_what_it_was(lake: Lake, settings: Settings) -> None:
    """Staged reasons of the first validation do not slip into the second: publishing asks for labels first."""
    validate_day(BATCH, settings)
    publish_day(BATCH, settings)
    assert lake.exists(BATCH.file(Layer.REASONS))
