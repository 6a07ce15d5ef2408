"""Real records are replayed whole, unchanged but for the time of the change and the host of the photos."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.sandbox.replay import ReplayCatalogue

FIRST_DAY = date(2026, 1, 5)
ROWS = [
    {"code": "01", "product_name": "Champagne A", "_extract": "champagne_rows"},
    {"code": "02", "product_name": "Yaourt", "_extract": "sample_4000", "image_front_url": "https://static.off.test/images/p/2.jpg"},
    {"code": "03", "product_name": "Champagne B", "_extract": "champagne_rows"},
    {"code": "01", "product_name": "Champagne A again", "_extract": "champagne_rows"},
    {"code": "04", "product_name": "Vinaigre", "ingredients_text": "Vin de Champagne", "last_modified_t": 1_500_000},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    records = tmp_path / "openfoodfacts" / "products.jsonl"
    records.parent.mkdir()
    records.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return tmp_path


def days_of(catalogue: ReplayCatalogue) -> dict[str, date]:
    return {r.record["code"]: datetime.fromtimestamp(r.moment, UTC).date() for r in catalogue.records()}


def test_champagne_is_spread_over_the_days_and_every_code_is_served_once(folder: Path) -> None:
    days = days_of(ReplayCatalogue(folder, FIRST_DAY, days=3))
    assert sorted(days) == ["01", "02", "03", "04"]
    assert {days["01"], days["03"], days["04"]} == {date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)}


def test_the_time_of_change_lies_in_the_day_and_nothing_else_is_changed(folder: Path) -> None:
    served = {r.record["code"]: r for r in ReplayCatalogue(folder, FIRST_DAY, days=1).records()}
    assert all(dated.record["last_modified_t"] == dated.moment for dated in served.values())
    assert set(days_of(ReplayCatalogue(folder, FIRST_DAY, days=1)).values()) == {FIRST_DAY}
    assert served["04"].record == ROWS[4] | {"last_modified_t": served["04"].moment}
    assert set(served["01"].record) == {"code", "product_name", "last_modified_t"}


def test_photos_point_to_the_sandbox(folder: Path) -> None:
    served = {r.record["code"]: r.record for r in ReplayCatalogue(folder, FIRST_DAY, days=1).records()}
    assert served["02"]["image_front_url"] == "/images/p/2.jpg"


def test_photos_of_the_folder_are_served_and_nothing_above_them(folder: Path) -> None:
    photo = folder / "openfoodfacts" / "images" / "p" / "2.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"a photo")
    catalogue = ReplayCatalogue(folder, FIRST_DAY)
    assert catalogue.photo("/images/p/2.jpg") == b"a photo"
    assert catalogue.photo("/images/p/3.jpg") is None
    assert catalogue.photo("/images/../products.jsonl") is None
    assert catalogue.photo("/images") is None


def test_two_replays_are_the_same(folder: Path) -> None:
    assert ReplayCatalogue(folder, FIRST_DAY).records() == ReplayCatalogue(folder, FIRST_DAY).records()


def test_a_broken_line_is_named(folder: Path) -> None:
    with (folder / "openfoodfacts" / "products.jsonl").open("a") as stream:
        stream.write('{"code": "05", \n')
    with pytest.raises(ConfigurationError, match=r"products\.jsonl:6 is not JSON"):
        ReplayCatalogue(folder, FIRST_DAY).records()


@pytest.mark.parametrize("days", [0, 15])
def test_more_days_than_are_kept_are_refused(folder: Path, days: int) -> None:
    with pytest.raises(ConfigurationError, match="1 to 14 days"):
        ReplayCatalogue(folder, FIRST_DAY, days)


def test_all_real_champagne_rows_are_served_evenly_and_unchanged(shared_data: Path) -> None:
    served = {r.record["code"]: r for r in ReplayCatalogue(shared_data, FIRST_DAY, days=3).records()}
    with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    champagne = [row for row in rows if row["_extract"] == "champagne_rows"]
    assert len(champagne) == 557
    assert {row["code"] for row in rows} <= set(served)
    per_day: dict[date, int] = {}
    for row in champagne:
        dated = served[row["code"]]
        day = datetime.fromtimestamp(dated.moment, UTC).date()
        per_day[day] = per_day.get(day, 0) + 1
        expected = {k: v for k, v in row.items() if k not in ("_extract", "image_front_url")}
        assert {k: v for k, v in dated.record.items() if k not in ("last_modified_t", "image_front_url")} == expected
        assert ("image_front_url" in dated.record) == ("image_front_url" in row)
    assert len(per_day) == 3
    assert all(180 <= count <= 190 for count in per_day.values())


def test_the_recorded_edamam_hints_are_served_without_addresses_of_the_source(shared_data: Path) -> None:
    hints = ReplayCatalogue(shared_data, FIRST_DAY).edamam_hints()
    assert len(hints) == 20
    assert sum(hint["food"].get("image", "").startswith("/food-img/") for hint in hints) == 4
