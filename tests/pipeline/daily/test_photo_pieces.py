"""Photos of a shard: what was fetched is not fetched again, and the file is the same however the run went."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from include.pipeline.daily import embed, photo_pieces
from include.pipeline.daily.embed import pack_and_embed_photos
from include.pipeline.daily.photo_pieces import PhotoPieces, PiecesMovedError
from include.settings import Settings
from include.sources import photos
from include.storage.lake import Lake
from tests.fixtures.killing import KILLED, run_killed
from tests.fixtures.photo_server import PhotoServer, running_photo_server

PATH = "images/source=shop/day=2026-01-05/part-00000.parquet"
STAGED = "staging/images/source=shop/day=2026-01-05/part-00000"


class FirstBytes:
    """An encoder that takes the first bytes for a photo's embedding."""

    identity = "first-bytes-1"
    dimensions = 2

    def encode(self, contents: Sequence[bytes]) -> np.ndarray:
        return np.array([[len(photo), sum(photo)] for photo in contents], dtype=np.float32).reshape(-1, 2)


def products(urls: Sequence[str | None]) -> pa.Table:
    ids = [f"shop:{number}" for number in range(len(urls))]
    return pa.table({"product_id": ids, "image_url": pa.array(urls, pa.string())})


def pack(root: str, urls: Sequence[str | None], options: Mapping[str, object], piece_bytes: int) -> tuple[int, int]:
    """One run over a shard; with `piece_bytes` 1 every photo is a piece of its own."""
    photo_pieces.PIECE_BYTES = piece_bytes
    settings = Settings(http_backoff_seconds=0.01).model_copy(update=options)
    return pack_and_embed_photos(
        Lake(root), PATH, products(urls), FirstBytes(), settings, allow_private_hosts=True
    )  # fmt: skip


@pytest.fixture
def photo_server() -> Iterator[PhotoServer]:
    with running_photo_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_pieces, "PIECE_BYTES", photo_pieces.PIECE_BYTES)
    monkeypatch.setattr(embed, "PHOTO_CHUNK", 16)


def everything(lake: Lake) -> dict[str, bytes]:
    return {path: lake.read_bytes(path) for path in lake.list_files("")}


def test_after_a_kill_only_what_was_not_kept_is_asked_for_again(photo_server: PhotoServer, tmp_path: Path) -> None:
    urls = [f"{photo_server.url}/{number}.jpg" for number in range(40)]
    urls[3:3] = [None, urls[0]]
    pack(str(tmp_path / "whole"), urls, {}, 2**26)
    assert len(photo_server.asked) == 40

    photo_server.asked.clear()
    killed = Lake(str(tmp_path / "killed"))
    arguments = (killed.root, urls, {"photo_threads": 1}, 1)
    assert run_killed("include.sources.photos:normalise_photo", 31, pack, *arguments) == KILLED
    kept = {url for path in killed.list_files(STAGED) for url in killed.read_parquet(path)["image_url"].to_pylist()}
    assert len(kept) >= 25
    assert not killed.exists(PATH)

    photo_server.asked.clear()
    assert pack(killed.root, urls, {}, 2**26) == (41, 40)
    assert sorted(photo_server.url + path for path in photo_server.asked) == sorted(set(filter(None, urls)) - kept)
    assert everything(killed) == everything(Lake(str(tmp_path / "whole")))


def test_the_file_is_the_same_whether_photos_waited_in_memory_or_in_pieces(
    photo_server: PhotoServer, tmp_path: Path
) -> None:
    urls = [f"{photo_server.url}/{number * 7 % 100}.jpg" for number in range(100)]
    lakes = [Lake(str(tmp_path / name)) for name in ("memory", "pieces")]
    for lake, piece_bytes in zip(lakes, (2**26, 20_000), strict=True):
        assert pack(lake.root, urls, {}, piece_bytes) == (100, 100)
    assert everything(lakes[0]) == everything(lakes[1])
    with lakes[0].parquet_file(PATH) as file:
        assert file.num_row_groups == 7
        assert file.read()["image_url"].to_pylist() == urls


def test_a_rerun_asks_for_what_failed_and_for_nothing_else(photo_server: PhotoServer, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    hurried = {"photo_deadline_seconds": 0.2, "http_timeout_seconds": 0.1}
    urls = [f"{photo_server.url}/1.jpg", f"{photo_server.url}/hang/2.jpg", f"{photo_server.url}/3.jpg"]
    pack(lake.root, urls, hurried, 1)
    assert lake.read_parquet(PATH)["status"].to_pylist() == ["ok", "timeout", "ok"]
    photo_server.asked.clear()
    pack(lake.root, urls, hurried, 1)
    assert set(photo_server.asked) == {"/hang/2.jpg"}
    assert lake.list_files("staging") == []


def test_slow_photos_do_not_hold_back_fast_ones(
    photo_server: PhotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as are fetched at once, all in the first row group, come only after the last photo was asked for."""
    monkeypatch.setattr(photos, "SLOW_SECONDS", 0.1)
    urls = [f"{photo_server.url}/{number}.jpg" for number in range(80)]
    urls[4], urls[9] = f"{photo_server.url}/late/4.jpg", f"{photo_server.url}/late/9.jpg"
    photo_server.let_go_at = "/79.jpg"
    assert pack(str(tmp_path), urls, {"photo_deadline_seconds": 20.0, "photo_threads": 2}, 20_000) == (80, 80)
    assert Lake(str(tmp_path)).read_parquet(PATH)["image_url"].to_pylist() == urls


def test_a_host_that_hangs_costs_two_deadlines_and_the_others_nothing(
    photo_server: PhotoServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_photo_server() as hanging:
        urls = [f"{hanging.url}/hang/{n}.jpg" if n % 2 else f"{photo_server.url}/{n}.jpg" for n in range(400)]
        began = time.monotonic()
        with caplog.at_level(logging.INFO):
            pack(str(tmp_path), urls, {"photo_deadline_seconds": 0.4, "http_timeout_seconds": 0.4}, 2**26)
        assert time.monotonic() - began < 4  # 200 x 0.4 s on 8 threads are 10 s
        assert len(hanging.asked) < 80
    assert Lake(str(tmp_path)).read_parquet(PATH)["status"].to_pylist()[::2] == ["ok"] * 200
    assert any("given up" in record.message for record in caplog.records)
    assert any(record.message.startswith("fetched photos: ") for record in caplog.records)


def test_after_the_time_of_a_shard_nothing_is_asked_and_a_rerun_asks(photo_server: PhotoServer, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    urls = [f"{photo_server.url}/{number}.jpg" for number in range(5)]
    assert pack(lake.root, urls, {"photo_shard_seconds": 1e-9}, 1) == (0, 0)
    assert photo_server.asked == []
    assert set(lake.read_parquet(PATH)["status"].to_pylist()) == {"unreachable"}
    assert pack(lake.root, urls, {}, 1) == (5, 5)


def test_progress_is_told(photo_server: PhotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "PROGRESS_SECONDS", 0.0)
    heard: list[str] = []
    urls = [f"{photo_server.url}/{number}.jpg" for number in range(3)]
    pack_and_embed_photos(
        Lake(str(tmp_path)), PATH, products(urls), FirstBytes(), Settings(),
        allow_private_hosts=True, on_progress=heard.append,
    )  # fmt: skip
    assert heard[-1].startswith("photos: 3 of 3, ")
    assert heard[-1].endswith(", 0 missing")


def row(product_id: str, url: str, status: str = "ok", content: bytes = b"a photo") -> dict[str, object]:
    is_ok = status == "ok"
    return {
        "product_id": product_id, "image_url": url, "status": status, "sha256": "0" * 64 if is_ok else None,
        "width": 1 if is_ok else None, "height": 1 if is_ok else None, "bytes": content if is_ok else None,
    }  # fmt: skip


def test_pieces_of_an_earlier_validation_give_no_photo_to_another_product(any_lake: Lake) -> None:
    earlier = PhotoPieces(any_lake, PATH, set())
    for number in range(3):
        earlier.add(row(f"shop:{number}", f"{number}.jpg"))
    earlier.add(row("shop:3", "3.jpg", "timeout"))
    earlier.add(row("shop:4", "4.jpg", "not_found"))
    earlier.write()

    wanted = {("shop:0", "0.jpg"), ("shop:1", "changed.jpg"), ("shop:9", "2.jpg"), ("shop:3", "3.jpg")}
    later = PhotoPieces(any_lake, PATH, wanted)
    assert {key for key in wanted if key in later} == {("shop:0", "0.jpg")}
    assert later.row(("shop:0", "0.jpg")) == row("shop:0", "0.jpg")
    absent = {("shop:4", "4.jpg")}
    assert ("shop:4", "4.jpg") in PhotoPieces(any_lake, PATH, absent)
    assert ("shop:4", "4.jpg") not in PhotoPieces(any_lake, PATH, absent, with_failures=False)
    later.remove()
    assert any_lake.list_files("staging") == []


def test_another_run_that_ends_first_is_noticed(lake: Lake) -> None:
    key = ("shop:0", "0.jpg")
    first = PhotoPieces(lake, PATH, {key})
    first.add(row(*key))
    first.write()
    second = PhotoPieces(lake, PATH, {key})
    first.remove()
    with pytest.raises(PiecesMovedError):
        second.row(key)


def test_two_runs_of_a_shard_at_the_same_time_leave_the_file_of_one(
    photo_server: PhotoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of one run another one takes over its pieces, ends, and removes them."""
    lake = Lake(str(tmp_path / "two"))
    urls = [f"{photo_server.url}/{number}.jpg" for number in range(20)]
    pack(str(tmp_path / "one"), urls, {}, 2**26)
    plain = PhotoPieces.row
    calls = 0

    def interrupted(pieces: PhotoPieces, key: tuple[str, str | None]) -> dict[str, object]:
        nonlocal calls
        calls += 1
        if calls == 10:
            pack(lake.root, urls, {}, 1)
        return plain(pieces, key)

    monkeypatch.setattr(PhotoPieces, "row", interrupted)
    assert pack(lake.root, urls, {}, 1)[0] == 20
    assert everything(lake) == everything(Lake(str(tmp_path / "one")))
