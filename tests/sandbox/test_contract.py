"""The real clients against the sandbox, with every fault switched on in turn.

A fault that is the server's passing trouble must leave no trace: the same files are landed as without it.
A fault of the records must cost no row: what is not a product is a rejection with its reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import requests

from include.errors import SourceError
from include.pipeline.source_access import http_limits, photo_limits
from include.sandbox.faults import ALL_FAULTS, LIST_FAULTS, PHOTO_FAULTS, RECORD_FAULTS, RESPONSE_FAULTS
from include.sandbox.replay import ReplayCatalogue
from include.sandbox.server import SandboxServer
from include.schema import Product, Rejection
from include.settings import Settings
from include.sources import get_source
from include.sources.connection import SourceConnection
from include.sources.http import HttpClient
from include.sources.landing import Landing
from include.sources.openfoodfacts_search import OpenFoodFactsSearch
from include.sources.photos import fetch_photos
from include.storage.batch import Batch
from include.storage.lake import Lake

DAY = date(2026, 1, 6)
PASSING = sorted(set(RESPONSE_FAULTS) - {"oversize"})
OF_RECORDS = sorted(RECORD_FAULTS)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        state_dir=tmp_path / "state",
        http_attempts=4,
        http_backoff_seconds=0,
        http_timeout_seconds=5,
        http_max_bytes=2**21,
    )


@pytest.fixture
def http(settings: Settings) -> Iterator[HttpClient]:
    with HttpClient(http_limits(settings), allow_private_hosts=True, sleep=lambda seconds: None) as client:
        yield client


def connection(server: SandboxServer) -> SourceConnection:
    return SourceConnection(server.url, app_id="sandbox-id", app_key="sandbox-key", allow_private_hosts=True)


def fetched(name: str, server: SandboxServer, http: HttpClient, folder: Path, day: date = DAY) -> Landing:
    """A landing of the day, fetched from the sandbox."""
    landing = Landing(Lake(str(folder)), Batch(name, day))
    get_source(name).fetch(day, landing, connection(server), http)
    return landing


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def read(landing: Landing) -> tuple[list[Product], list[Rejection]]:
    records = list(get_source(landing.source).read(landing.day, landing))
    return [r for r in records if isinstance(r, Product)], [r for r in records if isinstance(r, Rejection)]


def test_every_fault_is_tried_here() -> None:
    tried = {*PASSING, "oversize", *OF_RECORDS, *LIST_FAULTS, *PHOTO_STATUS}
    assert tried == set(ALL_FAULTS)


@pytest.mark.parametrize("source", ["openfoodfacts", "edamam"])
def test_a_day_is_fetched_and_read(source: str, server: SandboxServer, http: HttpClient, tmp_path: Path) -> None:
    products, _ = read(fetched(source, server, http, tmp_path / "lake"))
    assert len(products) > 40
    assert all(product.name for product in products)


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("source", ["openfoodfacts", "edamam"])
def test_passing_trouble_leaves_no_trace(
    source: str, fault: str, server: SandboxServer, http: HttpClient, tmp_path: Path
) -> None:
    fetched(source, server, http, tmp_path / "calm")
    server.faults.replace([f"{fault}:every=1,seconds=0.01"])
    fetched(source, server, http, tmp_path / "rough")
    assert digests(tmp_path / "rough") == digests(tmp_path / "calm")


def test_all_passing_trouble_at_once_leaves_no_trace(server: SandboxServer, http: HttpClient, tmp_path: Path) -> None:
    fetched("openfoodfacts", server, http, tmp_path / "calm")
    server.faults.replace([f"{fault}:seconds=0.01" for fault in PASSING])
    fetched("openfoodfacts", server, http, tmp_path / "rough")
    assert digests(tmp_path / "rough") == digests(tmp_path / "calm")


@pytest.mark.parametrize("fault", ["rate_limit", "unavailable", "cut_connection", "oversize"])
def test_trouble_that_does_not_pass_is_told_with_the_address(
    fault: str, server: SandboxServer, http: HttpClient, tmp_path: Path
) -> None:
    server.faults.replace([f"{fault}:first=1000,megabytes=8,path=.json.gz"])
    with pytest.raises(SourceError, match=f"{server.url}/data/delta/openfoodfacts_products_"):
        fetched("openfoodfacts", server, http, tmp_path / "lake")
    assert not Landing(Lake(str(tmp_path / "lake")), Batch("openfoodfacts", DAY)).is_complete()


def test_a_day_that_broke_off_resumes_without_asking_again(
    server: SandboxServer, http: HttpClient, tmp_path: Path
) -> None:
    calm = fetched("openfoodfacts", server, http, tmp_path / "calm")
    first, second = calm.manifest()["files"]
    server.faults.replace([f"unavailable:first=1000,path={second}"])
    with pytest.raises(SourceError, match="503"):
        fetched("openfoodfacts", server, http, tmp_path / "rough")
    server.faults.replace([])
    server.log.clear()
    fetched("openfoodfacts", server, http, tmp_path / "rough")
    assert f"/data/delta/{first}" not in server.log.counts()
    assert digests(tmp_path / "rough") == digests(tmp_path / "calm")


@pytest.mark.parametrize("fault", OF_RECORDS)
@pytest.mark.parametrize("source", ["openfoodfacts", "edamam"])
def test_bad_records_never_fail_the_day(
    source: str, fault: str, server: SandboxServer, http: HttpClient, tmp_path: Path
) -> None:
    calm_products, calm_rejections = read(fetched(source, server, http, tmp_path / "calm"))
    server.faults.replace([f"{fault}:one_in=3"])
    products, rejections = read(fetched(source, server, http, tmp_path / "rough"))
    assert len(products) > 0.4 * len(calm_products)
    assert all(rejection.reasons and rejection.detail for rejection in rejections)
    if fault == "unknown_schema_version" and source == "openfoodfacts":
        assert [product.native_id for product in products] == [product.native_id for product in calm_products]
        assert any("unknown_schema_version" in product.flags for product in products)
    if fault == "unknown_keys":
        assert products == calm_products
        assert [r.reasons for r in rejections] == [r.reasons for r in calm_rejections]
    elif fault in REASONS_OF[source]:
        assert REASONS_OF[source][fault] <= {reason for rejection in rejections for reason in rejection.reasons}


REASONS_OF = {
    "openfoodfacts": {
        "absent_keys": {"no_id", "no_name"},
        "null_keys": {"no_id", "no_name"},
        "wrong_types": {"wrong_type"},
        "broken_lines": {"not_json"},
    },
    "edamam": {"absent_keys": {"no_id", "no_name"}, "null_keys": {"no_id", "no_name"}, "wrong_types": {"wrong_type"}},
}


@pytest.mark.parametrize("fault", ["", *sorted(LIST_FAULTS), *PASSING])
def test_a_search_finds_every_product_once(fault: str, server: SandboxServer, http: HttpClient) -> None:
    search = OpenFoodFactsSearch(connection(server), http, page_size=10)
    calm = list(search.search({"categories_tags": "en:champagnes", "sort_by": "last_modified_t"}))
    server.faults.replace([f"{fault}:seconds=0.01"] if fault else [])
    found = list(search.search({"categories_tags": "en:champagnes", "sort_by": "last_modified_t"}))
    codes = [record.native_id for record in found]
    assert len(codes) == len(set(codes))
    assert set(codes) == {record.native_id for record in calm}
    assert len(codes) > 20


def test_single_products_and_words_are_found_by_our_client(server: SandboxServer, http: HttpClient) -> None:
    search = OpenFoodFactsSearch(connection(server), http)
    product = search.product("3880000000173")
    assert isinstance(product, Product)
    assert product.native_id == "3880000000173"
    assert search.product("3880000999999") is None
    assert any(isinstance(record, Product) for record in search.search_text("moutarde champagne"))


def test_credentials_are_neither_landed_nor_logged(
    server: SandboxServer, http: HttpClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.faults.replace(["unavailable:first=1", "truncated_json:first=1"])
    landing = fetched("edamam", server, http, tmp_path / "lake")
    pages = [page for name in landing.manifest()["files"] for _, page in landing.read_json_lines(name)]
    assert len(pages) > 1
    assert "sandbox-key" not in str(pages)
    # The server's own access log, which nobody keeps, is heard here only because pytest listens to every logger.
    leaks = [r for r in caplog.records if "sandbox-key" in r.getMessage() and r.name != "uvicorn.access"]
    assert leaks == []


PHOTO_STATUS = {
    "photo_missing": "not_found",
    "photo_html": "not_an_image",
    "photo_corrupt": "corrupt",
    "photo_bomb": "too_many_pixels",
    "photo_oversize": "too_large",
    "photo_rotated": "ok",
    "photo_cmyk": "ok",
    "photo_palette": "ok",
    "photo_webp": "ok",
}


def photo_url(server: SandboxServer) -> str:
    """The address of a photo that is good as long as no fault is on."""
    product = requests.get(f"{server.url}/api/v2/product/3880000000173", timeout=10).json()["product"]
    return str(product["image_front_url"])


@pytest.mark.parametrize("fault", sorted(PHOTO_FAULTS))
def test_a_bad_photo_costs_the_photo_only(fault: str, server: SandboxServer, settings: Settings) -> None:
    [good] = fetch_photos([photo_url(server)], photo_limits(settings), allow_private_hosts=True)
    server.faults.replace([f"{fault}:one_in=1,megabytes=21"])
    [photo] = fetch_photos([photo_url(server)], photo_limits(settings), allow_private_hosts=True)
    assert photo.status == PHOTO_STATUS[fault]
    if photo.status == "ok":
        assert photo.content is not None
        assert (photo.width, photo.height) == (good.width, good.height)
    else:
        assert photo.content is None


def test_photos_of_the_sandbox_are_refused_unless_the_connection_allows_them(
    server: SandboxServer, settings: Settings
) -> None:
    [photo] = fetch_photos([photo_url(server)], photo_limits(settings), allow_private_hosts=False)
    assert photo.status == "private_address"


def test_all_real_champagne_products_come_through(shared_data: Path, http: HttpClient, tmp_path: Path) -> None:
    catalogue = ReplayCatalogue(shared_data, date(2026, 1, 5), days=3)
    codes: set[str] = set()
    with SandboxServer(catalogue) as server:
        for day in (date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)):
            products, rejections = read(fetched("openfoodfacts", server, http, tmp_path / "lake", day))
            codes |= {product.native_id for product in products}
            codes |= {rejection.native_id for rejection in rejections if rejection.native_id}
    rows = [dated.record for dated in catalogue.records()]
    champagne = {
        r["code"] for r in rows if "champagne" in f"{r.get('product_name')} {r.get('ingredients_text')}".lower()
    }
    assert len(champagne) >= 557
    assert champagne <= codes
