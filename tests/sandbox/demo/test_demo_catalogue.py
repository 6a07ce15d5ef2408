"""The drawn catalogue: enough champagne every day, hard negatives, bad records and all kinds of photos."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime

import pytest
from PIL import Image, UnidentifiedImageError

from include.plain_words import plain_words
from include.sandbox.catalogue import SECONDS_PER_DAY, Record, midnight
from include.sandbox.demo import demo_catalogue
from include.sandbox.demo.demo_catalogue import DemoCatalogue
from include.taxonomy import load_taxonomy
from tests.sandbox.conftest import FIRST_DAY


def text_of(record: Record, key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def by_day(catalogue: DemoCatalogue) -> dict[int, list[Record]]:
    days: dict[int, list[Record]] = {}
    for dated in catalogue.records():
        days.setdefault((dated.moment - midnight(FIRST_DAY)) // SECONDS_PER_DAY, []).append(dated.record)
    return days


def is_champagne(record: Record) -> bool:
    tags = record.get("categories_tags", [])
    return load_taxonomy().is_champagne_product(
        text_of(record, "product_name"), text_of(record, "ingredients_text"), tags
    )


def test_every_day_has_champagne_products_and_others(catalogue: DemoCatalogue) -> None:
    days = by_day(catalogue)
    assert sorted(days) == [0, 1, 2]
    for records in days.values():
        champagne = sum(is_champagne(record) for record in records)
        assert 80 <= champagne <= 140
        assert len(records) - champagne >= 10


@pytest.mark.parametrize("words", ["vinaigre", "marc", "moutarde", "truffe", "biscuit", "lentil", "risotto"])
def test_what_only_sounds_like_champagne_is_there(catalogue: DemoCatalogue, words: str) -> None:
    names = [plain_words(text_of(dated.record, "product_name")) for dated in catalogue.records()]
    assert any(words in name and "champagne" in name for name in names)


def test_faults_of_each_kind_come_every_day(catalogue: DemoCatalogue) -> None:
    for records in by_day(catalogue).values():
        codes = Counter(record["code"] for record in records)
        assert codes.most_common(1)[0][1] == 2  # the repeated record
        assert any("E+12" in code for code in codes)
        assert codes[""] == 1
        assert any(len(code) == 8 for code in codes)
        assert any(code.startswith("2") for code in codes)
        assert sum(not text_of(record, "product_name").strip() for record in records) >= 2
        assert any(record.get("schema_version") == 2001 for record in records)
        assert any(isinstance(record.get("product_name"), list) for record in records)
        assert any("\x00" in text_of(record, "product_name") for record in records)
        assert any(len(text_of(record, "product_name")) > 500 for record in records)
        assert sum("last_modified_t" not in record for record in records) == 1


def test_texts_look_as_contributors_leave_them(catalogue: DemoCatalogue) -> None:
    records = [dated.record for dated in catalogue.records()]
    texts = [text_of(record, key) for record in records for key in ("product_name", "ingredients_text")]
    assert any("&#x27;" in text for text in texts)
    assert any("_sulfites_" in text for text in texts)
    assert any(text.isupper() for text in texts)
    assert {record.get("lang") for record in records} == {"fr", "en"}


def test_products_of_one_day_are_corrected_on_the_next(catalogue: DemoCatalogue) -> None:
    days = by_day(catalogue)
    before = {record["code"]: record for record in days[0]}
    corrected = [record for record in days[1] if record["code"] in before and record["code"].isdigit()]
    assert corrected
    assert all(record["product_name"] != before[record["code"]]["product_name"] for record in corrected)


def test_the_moment_of_a_record_is_its_time_of_change(catalogue: DemoCatalogue) -> None:
    for dated in catalogue.records():
        assert dated.record.get("last_modified_t", dated.moment) == dated.moment
        assert FIRST_DAY <= datetime.fromtimestamp(dated.moment, UTC).date() <= catalogue.last_day


def test_photos_are_mostly_good_and_of_every_bad_kind(
    catalogue: DemoCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    kinds: Counter[str] = Counter()
    for path in {dated.record.get("image_front_url") for dated in catalogue.records()}:
        photo = catalogue.photo(path) if path else None
        if photo is None:
            kinds["missing" if path else "none"] += 1
            continue
        try:
            image = Image.open(io.BytesIO(photo))
            kinds["bomb" if image.width > 9000 else f"{image.format} {image.mode}"] += 1
        except UnidentifiedImageError:
            kinds["html"] += 1
    assert set(kinds) >= {"none", "missing", "html", "bomb", "JPEG RGB", "JPEG CMYK", "PNG P", "WEBP RGB"}
    assert kinds["JPEG RGB"] > 0.75 * kinds.total()


def test_a_photo_is_the_same_each_time(catalogue: DemoCatalogue) -> None:
    path = next(d.record["image_front_url"] for d in catalogue.records() if "image_front_url" in d.record)
    again = DemoCatalogue(FIRST_DAY, days=3)
    assert again.photo(path) == catalogue.photo(path) is not None
    assert catalogue.photo("/images/products/1/2/3/4/front_fr.1.400.jpg") is None


def test_a_photo_is_drawn_once_however_often_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = DemoCatalogue(FIRST_DAY, days=1)
    drawn: list[str] = []
    monkeypatch.setattr(demo_catalogue, "draw_photo", lambda text, _chance: drawn.append(text.name) or b"a photo")
    path = next(d.record["image_front_url"] for d in catalogue.records() if "image_front_url" in d.record)
    assert catalogue.photo(path) == catalogue.photo(path) is not None
    assert len(drawn) == 1
