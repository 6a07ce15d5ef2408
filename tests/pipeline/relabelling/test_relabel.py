"""Relabelling leaves what the other version would have left at once, whatever happens meanwhile."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.commands import relabel as command
from include.errors import ConfigurationError, NoChampionError
from include.pages.relabel_report import write_relabel_report
from include.pipeline import text_features
from include.pipeline.daily.run_day import run_day
from include.pipeline.relabelling import predictions as relabel_predictions
from include.pipeline.relabelling.plan import pin_version, plan_relabelling
from include.pipeline.relabelling.relabel import finish_relabelling, relabel_catalogue, relabel_shard
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.engine import open_engine
from include.warehouse.reviews import record_review
from tests.fixtures.storage import settings_for
from tests.fixtures.trained import FIRST_DAY, SECOND_DAY, SOURCE, THIRD_DAY
from tests.pipeline.prepared import Prepared
from tests.pipeline.relabelling.known_catalogue import (
    final_state,
    reasons_of_all,
    relabel,
    row_versions,
    versions_settings,
)
from tests.pipeline.state import differences, lake_state, warehouse_state

DECIDED = {"label", "department", "confidence", "decision", "decided_by"}


@pytest.fixture
def warehouse_settings(labelled_by_first: Prepared, tmp_path: Path) -> Settings:
    """The warehouse of the first day as version 1 labelled it, its lake beside it."""
    return settings_for(tmp_path / "state", labelled_by_first.copy(tmp_path / "lake"))


@pytest.fixture
def settings(two_versions: Path, tmp_path: Path, warehouse_settings: Settings) -> Settings:
    return versions_settings(
        two_versions, tmp_path / "lake", warehouse_settings.warehouse_url.get_secret_value(), champion="1"
    )


@pytest.fixture
def other(two_versions: Path, tmp_path: Path, labelled_by_second: Prepared) -> Iterator[tuple[Settings, Engine]]:
    """The same day in a lake and a warehouse in which version 2 is champion from the start."""
    lake = tmp_path / "other"
    settings = versions_settings(two_versions, lake, labelled_by_second.copy(lake), champion="2")
    with open_engine(settings.warehouse_dsn) as engine:
        yield settings, engine


def history(engine: Engine, version: str) -> list[Any]:
    rows = warehouse_state(engine)["label_history"]
    return [row for row in rows if row["model_version"] == json.dumps(version)]


def products(engine: Engine) -> dict[str, dict[str, Any]]:
    rows = warehouse_state(engine)["labelled_products"]
    return {json.loads(row["product_id"]): {name: json.loads(value) for name, value in row.items()} for row in rows}


def test_a_day_that_was_relabelled_is_as_if_the_version_had_labelled_it(
    settings: Settings, warehouse: Engine, other: tuple[Settings, Engine], connection: SourceConnection
) -> None:
    before = products(warehouse)

    summary = relabel(settings, "2")

    assert summary["relabelled"] == len(before) > 2 * settings.relabel_shard_size
    found, expected = warehouse_state(warehouse), warehouse_state(other[1])
    assert (
        differences(
            {"labelled_products": found["labelled_products"], "label_history": history(warehouse, "2")},
            {"labelled_products": expected["labelled_products"], "label_history": expected["label_history"]},
        )
        == []
    )
    assert len(history(warehouse, "1")) == len(before), "what version 1 said is kept"
    after = products(warehouse)
    assert summary["label_changed"] == sum(before[one]["label"] != after[one]["label"] for one in before) > 0
    assert summary["previous_versions"] == {"1": len(before)}
    assert any(row["photo_sha256"] and row["modality"] != "text" for row in after.values()), "photos were embedded"


def test_a_product_that_was_relabelled_has_the_reasons_that_the_version_would_have_given_it(
    settings: Settings, warehouse: Engine, other: tuple[Settings, Engine], connection: SourceConnection
) -> None:
    before = reasons_of_all(Lake(settings.lake_root), warehouse)
    relabel(settings, "2")
    found = reasons_of_all(Lake(settings.lake_root), warehouse)
    assert found == reasons_of_all(Lake(other[0].lake_root), other[1])
    assert None not in found.values()
    assert found != before


def test_going_there_and_back_leaves_the_reasons_of_the_version_that_labels(
    settings: Settings, warehouse: Engine, connection: SourceConnection
) -> None:
    lake = Lake(settings.lake_root)
    before = reasons_of_all(lake, warehouse)
    relabel(settings, "2")
    relabel(settings, "1")
    assert reasons_of_all(lake, warehouse) == before
    assert {path.split("/")[1] for path in lake.list_files(Layer.RELABELLING_REASONS)} == {"version=1"}


def test_a_second_run_writes_nothing_and_leaves_the_report(
    settings: Settings, warehouse: Engine, connection: SourceConnection
) -> None:
    first = relabel(settings, "2")
    rows, files = row_versions(warehouse), lake_state(Lake(settings.lake_root))
    assert relabel(settings, "2") == first
    assert row_versions(warehouse) == rows
    assert lake_state(Lake(settings.lake_root)) == files


def test_going_back_restores_every_label_and_tells_of_the_way_back(
    settings: Settings, warehouse: Engine, connection: SourceConnection
) -> None:
    before = products(warehouse)
    there = relabel(settings, "2")
    back = relabel(settings, "1")
    assert products(warehouse) == before
    assert back["previous_versions"] == {"2": len(before)}
    assert (back["label_changed"], back["accepted_to_review"]) == (there["label_changed"], there["review_to_accepted"])
    again = relabel(settings, "2")
    assert again == there, "only the last relabelling to a version counts"


def test_a_persons_label_stays_and_the_prediction_stands_beside_it(
    settings: Settings, warehouse: Engine, other: tuple[Settings, Engine], connection: SourceConnection
) -> None:
    early, late = list(products(warehouse))[:2]
    record_review(warehouse, early, "juice", department="Fine Grocery", reviewer="ana")
    model = pin_version(settings, "2")
    shards = plan_relabelling(model, settings)
    # Between the plan and the shard.
    record_review(warehouse, late, "juice", department="Fine Grocery", reviewer="ana")
    for shard in shards:
        relabel_shard(shard, settings)
    summary = finish_relabelling(model, settings)

    expected = products(other[1])
    found = products(warehouse)
    for product_id in (early, late):
        assert {name: found[product_id].pop(name) for name in DECIDED} == {
            "label": "juice", "department": "Fine Grocery", "confidence": 1.0, "decision": "accepted",
            "decided_by": "human",
        }  # fmt: skip
        for name in DECIDED:
            del expected[product_id][name]
    assert found == expected
    assert summary["human"] == 2
    assert summary["relabelled"] == len(found)


def test_a_day_that_is_loaded_between_plan_and_shard_is_swept_up(
    settings: Settings, warehouse: Engine, other: tuple[Settings, Engine], connection: SourceConnection
) -> None:
    for day in (SECOND_DAY, THIRD_DAY):
        run_day(SOURCE, day, other[0], connection)
    model = pin_version(settings, "2")
    shards = plan_relabelling(model, settings)
    relabel_shard(shards[0], settings)
    # The champion is still version 1 for whoever planned before; it brings products again, and new ones.
    run_day(SOURCE, SECOND_DAY, settings, connection)
    for shard in shards:
        relabel_shard(shard, settings)
    run_day(SOURCE, THIRD_DAY, settings, connection)
    summary = finish_relabelling(model, settings)
    assert summary["others"] == 0
    assert products(warehouse) == products(other[1])


def test_a_row_that_a_load_changed_while_it_was_predicted_keeps_the_loads_label(
    settings: Settings, warehouse: Engine, connection: SourceConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = next(iter(products(warehouse)))
    [shard, *_] = plan_relabelling(pin_version(settings, "2"), settings)
    from include.warehouse import relabelling

    plain = relabelling.write_predictions

    def load_in_between(*arguments: Any) -> int:
        with warehouse.begin() as open_connection:
            open_connection.execute(
                text("UPDATE labelled_products SET content_hash = 'new', name = 'new' WHERE product_id = :id"),
                {"id": changed},
            )
        return plain(*arguments)

    monkeypatch.setattr(relabelling, "write_predictions", load_in_between)
    summary = relabel_shard(shard, settings)
    assert summary["relabelled"] == summary["read"] - 1
    assert products(warehouse)[changed]["model_version"] == "1"
    with warehouse.connect() as open_connection:
        assert open_connection.scalar(text("SELECT sum(products) FROM relabellings")) == summary["relabelled"]
    monkeypatch.setattr(relabelling, "write_predictions", plain)
    assert relabel(settings, "2")["others"] == 0


def test_a_photo_that_is_gone_counts_as_none(
    settings: Settings, warehouse: Engine, connection: SourceConnection, caplog: pytest.LogCaptureFixture
) -> None:
    Lake(settings.lake_root).delete("images")
    with caplog.at_level(logging.WARNING):
        summary = relabel(settings, "2")
    assert summary["others"] == 0
    assert "photos that are gone" in caplog.text
    rows = products(warehouse).values()
    assert {row["modality"] for row in rows} <= {"text", "none"}
    assert any(row["photo_sha256"] for row in rows), "the fact that there was a photo stays"


def test_texts_are_read_again_only_where_nobody_kept_what_they_say(
    settings: Settings,
    warehouse: Engine,
    other: tuple[Settings, Engine],
    connection: SourceConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = products(other[1])
    lake = Lake(settings.lake_root)
    relabel(settings, "2")  # embeds the texts for version 2
    relabel(settings, "1")
    read: list[int] = []
    plain = relabel_predictions.extract_text_features

    def counted(texts: Any) -> Any:
        read.append(texts.num_rows)
        return plain(texts)

    monkeypatch.setattr(relabel_predictions, "extract_text_features", counted)
    relabel(settings, "2")
    assert read == [] and products(warehouse) == expected

    # What another reader kept does not count, and goes.
    relabel(settings, "1")
    monkeypatch.setattr(text_features, "RULES_VERSION", "0")
    relabel(settings, "2")
    assert sum(read) == len(expected) and products(warehouse) == expected
    relabel(settings, "1")
    assert sum(read) == len(expected)
    lake.delete("readings")
    relabel(settings, "2")
    assert sum(read) == 2 * len(expected) and products(warehouse) == expected


def test_an_empty_catalogue_has_no_shards_and_a_report_that_says_so(
    two_versions: Path, tmp_path: Path, make_database: Callable[[], str]
) -> None:
    settings = versions_settings(two_versions, tmp_path / "empty", make_database())
    assert plan_relabelling(pin_version(settings), settings) == []
    summary = relabel_catalogue(settings)
    assert (summary["version"], summary["relabelled"], summary["others"]) == ("1", 0, 0)
    page = Lake(settings.lake_root).read_bytes(write_relabel_report(Lake(settings.lake_root), summary)).decode()
    assert "No product of the warehouse" in page


def test_the_command_shows_its_progress_or_prints_one_document(
    settings: Settings,
    warehouse: Engine,
    connection: SourceConnection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "load_settings", lambda: settings)
    command.relabel_command(version="2", as_json=False)
    shown = capsys.readouterr().out
    count = len(products(warehouse))
    assert f"{count}/{count}" in shown
    assert "reports/relabel/version=2/index.html" in shown
    command.relabel_command(version="2", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["relabelled"]) == ("2", count)


def test_several_sources_are_shards_of_their_own(
    settings: Settings, warehouse: Engine, other: tuple[Settings, Engine], connection: SourceConnection
) -> None:
    for champion in (settings, other[0]):
        run_day("edamam", FIRST_DAY, champion, connection)
    shards = plan_relabelling(pin_version(settings, "2"), settings)
    assert {shard["source"] for shard in shards} == {SOURCE, "edamam"}
    assert [shard["name"].split(",")[0] for shard in shards] == [
        f"shard {number} of {len(shards)}" for number in range(1, len(shards) + 1)
    ]
    assert len(json.dumps(shards)) < 600 * len(shards), "shards travel through XCom"
    relabel(settings, "2")
    assert final_state(settings, warehouse)[0]["labelled_products"] == warehouse_state(other[1])["labelled_products"]


def test_the_version_is_the_champions_number_or_the_one_asked_for(
    settings: Settings, other: tuple[Settings, Engine], caplog: pytest.LogCaptureFixture
) -> None:
    assert pin_version(settings)["version"] == "1"
    assert pin_version(other[0])["version"] == "2"
    assert pin_version(settings, "2")["version"] == "2"
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert pin_version(settings, announced="1")["version"] == "1"
        assert caplog.text == ""
        assert pin_version(settings, announced="7")["version"] == "1"
        assert "version 7 was announced, and 1 is champion now" in caplog.text
    with pytest.raises(ConfigurationError, match="no version 9"):
        pin_version(settings, "9")


def test_without_a_sound_model_nothing_is_planned(settings: Settings, tmp_path: Path) -> None:
    empty = settings.model_copy(update={"state_dir": tmp_path / "empty"})
    with pytest.raises(NoChampionError, match="python -m include train"):
        pin_version(empty)
    with pytest.raises(ConfigurationError, match="no version 9"):
        relabel_shard(
            {
                "name": "shard 1 of 1", "source": SOURCE, "first_day": "2026-01-05", "last_day": "2026-01-05",
                "first_id": None, "before_id": None, "products": 1,
                "model": {"version": "9", "pinned_at": "2026-01-05T00:00:00+00:00"},
            },
            settings,
        )  # fmt: skip
