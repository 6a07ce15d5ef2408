"""Importing a catalogue: what it leaves, and what importing it again leaves."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine

from include.errors import BatchRejected, CatalogueRefused
from include.pipeline.import_catalogue import import_catalogue
from include.settings import Settings
from include.storage.lake import Lake
from tests.fixtures.trained import FIRST_DAY, SECOND_DAY
from tests.pipeline.state import lake_state, warehouse_state

ROWS = 60
"""More than one shard of the day's tests."""


def write_rows(path: Path, rows: int) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["product_id", "product_name", "category", "image"])
        writer.writerows(
            [f"p{number}", f"Item {number}", ("Watches", "Computers")[number % 2], f"p{number}.jpg"]
            for number in range(rows)
        )
    return path


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    photos = tmp_path / "shop" / "images"
    photos.mkdir(parents=True)
    for number in range(ROWS):
        Image.new("RGB", (32, 32), (4 * number, 200, 30)).save(photos / f"p{number}.jpg")
    return write_rows(tmp_path / "shop" / "shop.csv", ROWS)


def state(lake: Lake, warehouse: Engine) -> tuple[object, object]:
    return lake_state(lake), warehouse_state(warehouse)


def test_importing_the_same_file_twice_leaves_the_same_files_and_rows(
    catalogue: Path, settings: Settings, lake: Lake, warehouse: Engine
) -> None:
    first = import_catalogue(catalogue, FIRST_DAY, settings)
    before = state(lake, warehouse)
    assert (first["products"], first["photos"], first["training_labels"]) == (ROWS, ROWS, ROWS)
    assert import_catalogue(catalogue, FIRST_DAY, settings) | {"seconds": 0.0} == first | {"seconds": 0.0}
    assert state(lake, warehouse) == before


def test_a_file_with_fewer_rows_leaves_no_product_label_or_photo_of_the_others(
    catalogue: Path, settings: Settings, lake: Lake, warehouse: Engine
) -> None:
    import_catalogue(write_rows(catalogue, 10), FIRST_DAY, settings)
    expected = lake_state(lake, ("products", "images")), warehouse_state(warehouse)["training_labels"]
    import_catalogue(write_rows(catalogue, ROWS), FIRST_DAY, settings)
    import_catalogue(write_rows(catalogue, 10), FIRST_DAY, settings)
    assert (lake_state(lake, ("products", "images")), warehouse_state(warehouse)["training_labels"]) == expected


def test_a_photo_that_comes_later_is_found_by_the_next_import(catalogue: Path, settings: Settings) -> None:
    photo = catalogue.parent / "images" / "p0.jpg"
    content = photo.read_bytes()
    photo.unlink()
    assert import_catalogue(catalogue, FIRST_DAY, settings)["photos"] == ROWS - 1
    photo.write_bytes(content)
    assert import_catalogue(catalogue, FIRST_DAY, settings)["photos"] == ROWS


def test_without_its_photo_folder_a_file_is_imported_without_photos(
    catalogue: Path, settings: Settings, lake: Lake
) -> None:
    import_catalogue(catalogue, FIRST_DAY, settings)
    (catalogue.parent / "images").rename(catalogue.parent / "elsewhere")
    assert import_catalogue(catalogue, SECOND_DAY, settings)["photos"] == 0


def test_photos_of_an_earlier_import_go_only_with_a_persons_word(
    catalogue: Path, settings: Settings, lake: Lake, warehouse: Engine
) -> None:
    import_catalogue(catalogue, FIRST_DAY, settings)
    (catalogue.parent / "images").rename(catalogue.parent / "elsewhere")
    before = state(lake, warehouse)
    with pytest.raises(CatalogueRefused, match=rf"has {ROWS} photos.*nothing was imported.*--allow-empty"):
        import_catalogue(catalogue, FIRST_DAY, settings)
    assert state(lake, warehouse) == before
    assert import_catalogue(catalogue, FIRST_DAY, settings, allow_empty=True)["photos"] == 0
    assert lake.list_files("images") == []


def test_a_file_without_rows_removes_no_import_without_a_persons_word(
    catalogue: Path, settings: Settings, lake: Lake, warehouse: Engine
) -> None:
    import_catalogue(catalogue, FIRST_DAY, settings)
    layers = ("products", "images", "quarantine")
    before = lake_state(lake, layers), warehouse_state(warehouse)
    with pytest.raises(CatalogueRefused, match="no rows"):
        import_catalogue(write_rows(catalogue, 0), FIRST_DAY, settings)
    assert (lake_state(lake, layers), warehouse_state(warehouse)) == before


def test_a_file_of_nothing_but_bad_rows_replaces_no_import_without_a_persons_word(
    catalogue: Path, settings: Settings, lake: Lake, warehouse: Engine
) -> None:
    import_catalogue(catalogue, FIRST_DAY, settings)
    layers = ("products", "images")
    before = lake_state(lake, layers), warehouse_state(warehouse)
    catalogue.write_text("product_id,product_name,category,image\n,Item,Watches,p1.jpg\n", encoding="utf-8")
    with pytest.raises(BatchRejected, match=r"not_emptied.*python -m include import PATH .*--allow-empty"):
        import_catalogue(catalogue, FIRST_DAY, settings)
    assert (lake_state(lake, layers), warehouse_state(warehouse)) == before
