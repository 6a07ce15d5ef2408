"""Photos of products, served from the lake."""

from __future__ import annotations

import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import Engine

from include.features.image.kept_photos import SIDES
from include.settings import Settings
from include.storage.lake import Lake
from tests.pages.web.odd_products import DAY, load_odd_products, product_id


@pytest.fixture(autouse=True)
def products(warehouse: Engine, warehouse_settings: Settings) -> None:
    load_odd_products(warehouse, Lake(warehouse_settings.lake_root))


@pytest.mark.parametrize(
    ("query", "height"),
    [
        (f"?size=96&day={DAY}", 96),
        ("?size=96", 96),
        ("?size=1", 96),
        ("?size=97", 400),
        ("?size=100000", 400),
        ("?size=9999999999999999999", 400),
        ("?size=-1", 400),
        ("?size=²", 400),
        ("?size=large&day=yesterday", 400),
        ("", 400),
    ],
)
def test_a_photo_is_scaled_to_one_of_a_few_sizes_and_never_enlarged(
    viewer: TestClient, query: str, height: int
) -> None:
    answer = viewer.get(f"photos/{product_id(2)}{query}")
    assert answer.status_code == 200
    with Image.open(io.BytesIO(answer.content)) as photo:
        assert (photo.height, photo.width) == (height, pytest.approx(height * 3 / 4, abs=1))
    assert max(SIDES) >= height


def test_a_photo_is_kept_by_one_browser_and_is_nothing_but_a_photo(viewer: TestClient) -> None:
    headers = viewer.get(f"photos/{product_id(2)}?size=96").headers
    assert headers["content-type"] == "image/jpeg"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"].startswith("private, max-age=")


@pytest.mark.parametrize(
    "address",
    [
        product_id(1),
        "nothing",
        "../../../etc/passwd",
        f"..%2F..%2Fimages:1?day={DAY}",
        f"openfoodfacts%2Fday=2026-01-05:1?day={DAY}",
        f"openfoodfacts:3000000000002/..?day={DAY}",
        f"{product_id(2)}?day=2026-01-06",
        "openfoodfacts:%00",
        "flipkart:1",
    ],
)
def test_a_product_without_a_photo_gets_a_picture_of_none(viewer: TestClient, address: str) -> None:
    answer = viewer.get(f"photos/{address}")
    assert answer.status_code == 404
    if answer.headers["content-type"] == "image/svg+xml":
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "private, no-store"
    else:
        assert address.startswith(".."), "the client takes these steps itself"


def test_what_is_no_photo_is_not_served(viewer: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.pages.web.photos.thumbnail", lambda *_: b"<html><script>alert(1)</script>")
    answer = viewer.get(f"photos/{product_id(2)}")
    assert answer.status_code == 404
    assert b"script" not in answer.content
