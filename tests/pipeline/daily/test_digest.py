"""One message a day with what went wrong, again only when the day ended otherwise, and never lost."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.errors import NotificationFailed, WarehouseUnreachable
from include.pipeline.daily import digest
from include.pipeline.daily.digest import early_retraining, send_digest
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.batches import BatchRecord, record_batch, record_failure

DAY = date(2026, 1, 5)
MARKER = "reports/digests/day=2026-01-05.json"
DRIFTED = ["openfoodfacts: the texts are unlike those of training (distance 0.60, bound 0.45)."]


def publish(engine: Engine, source: str, warnings: list[str] | None = None, day: date = DAY) -> None:
    record_batch(engine, BatchRecord(source, day, "daily", labelled=9, drift={}, warnings=warnings or []))


@pytest.fixture
def settings(warehouse_settings: Settings) -> Settings:
    return warehouse_settings.model_copy(update={"daily_sources": ("openfoodfacts", "edamam")})


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake_root)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Titles and bodies that were sent."""
    messages: list[tuple[str, str]] = []

    def keep(title: str, body: str, _settings: Settings) -> None:
        messages.append((title, body))

    monkeypatch.setattr(digest, "notify", keep)
    return messages


def test_a_good_day_sends_nothing(settings: Settings, lake: Lake, warehouse: Engine, sent: list[Any]) -> None:
    for source in settings.daily_sources:
        publish(warehouse, source)
    assert send_digest(DAY, settings) == {"failures": 0, "warnings": 0, "sent": False}
    assert sent == []
    assert not lake.exists(MARKER)


def test_failures_and_warnings_of_all_sources_are_one_message(
    settings: Settings, lake: Lake, warehouse: Engine, sent: list[Any]
) -> None:
    publish(warehouse, "openfoodfacts", DRIFTED)
    record_failure(warehouse, "edamam", DAY, "fetch", "the API is down: https://api/x?app_key=geheim")
    record_failure(warehouse, "shop", DAY, "import", "of an import, which has its own run", kind="import")
    assert send_digest(DAY, settings) == {"failures": 1, "warnings": 1, "sent": True}
    ((title, body),) = sent
    assert title == "Cuvée 2026-01-05: 1 failed batch, 1 drift warning"
    assert "edamam: failed at fetch.\nthe API is down" in body
    assert DRIFTED[0] in body
    assert lake.url("reports/validation/source=openfoodfacts/day=2026-01-05/drift/index.html") in body
    assert "docs/operations.md" in body
    assert "geheim" not in body
    assert "own run" not in body


def test_a_source_that_left_no_batch_is_told_of(settings: Settings, warehouse: Engine, sent: list[Any]) -> None:
    publish(warehouse, "openfoodfacts")
    assert send_digest(DAY, settings)["failures"] == 1
    assert "edamam: no batch of this day" in sent[0][1]


def test_warnings_of_an_earlier_run_are_not_told_beside_a_failure(
    settings: Settings, warehouse: Engine, sent: list[Any]
) -> None:
    publish(warehouse, "edamam")
    publish(warehouse, "openfoodfacts", DRIFTED)
    record_failure(warehouse, "openfoodfacts", DAY, "fetch", "the API is down")
    assert send_digest(DAY, settings) == {"failures": 1, "warnings": 0, "sent": True}
    assert DRIFTED[0] not in sent[0][1]


def test_a_rerun_that_ends_the_same_way_is_silent_and_another_end_is_told(
    settings: Settings, warehouse: Engine, sent: list[Any]
) -> None:
    publish(warehouse, "edamam")
    publish(warehouse, "openfoodfacts", DRIFTED)
    assert [send_digest(DAY, settings)["sent"] for _ in range(3)] == [True, False, False]
    record_failure(warehouse, "edamam", DAY, "fetch", "the API is down")
    assert send_digest(DAY, settings)["sent"]
    assert len(sent) == 2


def test_a_day_that_goes_wrong_again_after_it_was_well_is_told_again(
    settings: Settings, lake: Lake, warehouse: Engine, sent: list[Any]
) -> None:
    publish(warehouse, "edamam")
    for outcome in (DRIFTED, [], DRIFTED):
        publish(warehouse, "openfoodfacts", outcome)
        send_digest(DAY, settings)
        assert lake.exists(MARKER) is bool(outcome)
    assert len(sent) == 2


def test_a_message_that_was_not_taken_is_sent_by_the_next_try(
    settings: Settings, lake: Lake, warehouse: Engine, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(warehouse, "openfoodfacts", DRIFTED)

    def refuse(*_arguments: Any) -> None:
        raise NotificationFailed("not taken")

    with monkeypatch.context() as patch, pytest.raises(NotificationFailed):
        patch.setattr(digest, "notify", refuse)
        send_digest(DAY, settings)
    assert not lake.exists(MARKER)
    assert send_digest(DAY, settings)["sent"]


def test_killed_between_sending_and_remembering_it_is_sent_again_rather_than_never(
    settings: Settings, lake: Lake, warehouse: Engine, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(warehouse, "openfoodfacts", DRIFTED)

    class Killed(BaseException):
        pass

    def killed(*_arguments: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Lake, "write_bytes", killed)
        send_digest(DAY, settings)
    assert [send_digest(DAY, settings)["sent"] for _ in range(2)] == [True, False]
    assert len(sent) == 2
    assert json.loads(lake.read_bytes(MARKER))["title"] == sent[-1][0]


def test_an_unreachable_warehouse_is_an_error_that_names_no_password(settings: Settings) -> None:
    from pydantic import SecretStr

    away = settings.model_copy(update={"warehouse_url": SecretStr("postgresql+psycopg://cuvee:geheim@127.0.0.1:9/x")})
    with pytest.raises(WarehouseUnreachable) as failure:
        send_digest(DAY, away)
    assert "geheim" not in str(failure.value)


class TestEarlyRetraining:
    @pytest.fixture
    def eager(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"retrain_on_drift": True})

    def test_it_is_off_by_default(self, settings: Settings, warehouse: Engine) -> None:
        publish(warehouse, "openfoodfacts", DRIFTED)
        assert early_retraining(DAY, settings) is None

    def test_a_day_with_warnings_asks_for_the_run_of_its_iso_week(self, eager: Settings, warehouse: Engine) -> None:
        publish(warehouse, "openfoodfacts", DRIFTED)
        assert early_retraining(DAY, eager) == "drift__2026-W02"
        new_year = date(2027, 1, 3)
        publish(warehouse, "openfoodfacts", DRIFTED, new_year)
        assert early_retraining(new_year, eager) == "drift__2026-W53"

    def test_a_day_without_warnings_asks_for_none(self, eager: Settings, warehouse: Engine) -> None:
        publish(warehouse, "openfoodfacts")
        assert early_retraining(DAY, eager) is None

    def test_a_day_that_is_not_the_newest_asks_for_none(self, eager: Settings, warehouse: Engine) -> None:
        publish(warehouse, "openfoodfacts", DRIFTED)
        publish(warehouse, "openfoodfacts", day=DAY + timedelta(days=1))
        assert early_retraining(DAY, eager) is None
