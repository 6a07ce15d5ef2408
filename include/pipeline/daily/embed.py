"""Step 3: embeddings of a shard's texts and photos, computed once per content and encoder."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import pyarrow as pa

from include.features.cache import EmbeddingCache
from include.pipeline.daily.photo_pieces import PhotoPieces, PiecesMovedError, Row
from include.pipeline.daily.shards import Shard, batch_of, read_shard
from include.pipeline.model_versions import load_version
from include.pipeline.text_features import extract_text_features, store_text_features
from include.schema import IMAGES
from include.settings import Settings
from include.storage.lake import Lake
from include.storage.layers import Layer

if TYPE_CHECKING:
    from include.features.image import ImageEncoder
    from include.sources.photos import Photo

logger = logging.getLogger(__name__)

PHOTO_CHUNK = 64
"""Rows of a row group of the packed photos: a page that shows one of them reads as many."""
CHUNK_BYTES = 64 * 1024**2
"""Photos of a row group in bytes: it ends with the photo that exceeds this."""
PROGRESS_SECONDS = 10.0
_RUNS_AT_ONCE = 3
"""Times that a shard is started again because another run of it put its file in place meanwhile."""


class EmbeddingSummary(TypedDict):
    """How many embeddings a shard needed, and how many of them had to be computed."""

    wanted: int
    computed: int
    seconds: float


def embed_text(shard: Shard, settings: Settings) -> EmbeddingSummary:
    """Embed the texts of a shard with the pinned model's text encoder, as far as they are not cached.

    The text features are stored for `classify`.
    """
    from include.features.embed import embed_missing_texts

    started = time.monotonic()
    lake = Lake(settings.lake_root)
    encoder = load_version(shard["model_version"], settings).text_encoder
    products = read_shard(lake, shard, ["content_hash", "name", "brand", "description", "ingredients"])
    features, documents = extract_text_features(products)
    store_text_features(lake, batch_of(shard).file(Layer.TEXT_FEATURES, shard["shard"]), features)
    by_hash = {key: text for key, text in zip(features["text_hash"].to_pylist(), documents, strict=True) if key}
    computed = embed_missing_texts(EmbeddingCache(lake, encoder.identity), encoder, by_hash)
    wanted = features.num_rows - features["text_hash"].null_count
    return _summary("text", shard, wanted, computed, started)


def embed_images(
    shard: Shard,
    settings: Settings,
    *,
    allow_private_hosts: bool = False,
    on_progress: Callable[[str], None] = lambda _text: None,
) -> EmbeddingSummary:
    """Fetch the photos of a shard, pack them in the lake, and embed those that are not cached.

    `on_progress` is called with the progress every few seconds.
    """
    from include.pipeline.encoders import configured_image_encoder

    started = time.monotonic()
    lake = Lake(settings.lake_root)
    artefact = load_version(shard["model_version"], settings)
    encoder = configured_image_encoder(artefact.image_encoder_spec, settings)
    artefact.check_image_encoder(encoder.identity)
    products = read_shard(lake, shard, ["product_id", "image_url"])
    path = batch_of(shard).file(Layer.IMAGES, shard["shard"])
    wanted, computed = pack_and_embed_photos(
        lake, path, products, encoder, settings, allow_private_hosts=allow_private_hosts, on_progress=on_progress
    )
    return _summary("photo", shard, wanted, computed, started)


def _summary(kind: str, shard: Shard, wanted: int, computed: int, started: float) -> EmbeddingSummary:
    logger.info(
        "embedded kind=%s source=%s day=%s shard=%d wanted=%d computed=%d",
        kind, shard["source"], shard["day"], shard["shard"], wanted, computed,
    )  # fmt: skip
    return EmbeddingSummary(wanted=wanted, computed=computed, seconds=round(time.monotonic() - started, 3))


def pack_and_embed_photos(
    lake: Lake,
    path: str,
    products: pa.Table,
    encoder: ImageEncoder,
    settings: Settings,
    *,
    allow_private_hosts: bool = False,
    photo_folder: Path | None = None,
    on_progress: Callable[[str], None] = lambda _text: None,
) -> tuple[int, int]:
    """Write one file of packed photos for `products` and embed them; returns (photos, newly embedded).

    Photos of an earlier run whose URL is the same are taken over, those of a run that was killed too, so that a rerun
    asks the network only for what failed for a reason that may have passed. A photo that a folder did not have is
    looked for again. `on_progress` is called every few seconds with the number of requested photos.
    """
    from include.features.embed import embed_missing_photos

    counts: Counter[str] = Counter()
    keys = list(zip(products["product_id"].to_pylist(), products["image_url"].to_pylist(), strict=True))
    staged_folder = f"{Layer.STAGING}/{Layer.EMBEDDINGS}{path.removeprefix(Layer.IMAGES).removesuffix('.parquet')}"
    for tries_left in reversed(range(_RUNS_AT_ONCE)):
        pieces = PhotoPieces(lake, path, set(keys), with_failures=photo_folder is None)
        counts.clear()
        fetching = fetch_into(
            pieces,
            keys,
            settings,
            path,
            on_progress,
            allow_private_hosts=allow_private_hosts,
            photo_folder=photo_folder,
        )
        cache = EmbeddingCache(lake, encoder.identity)
        staged = EmbeddingCache(lake, encoder.identity, root=staged_folder)
        try:
            with closing(fetching):
                packed = _packed(lake, path, keys, pieces, fetching, counts)
                computed = embed_missing_photos(cache, encoder, packed, staged)
            break
        except (PiecesMovedError, FileNotFoundError):
            pieces.write()
            if not tries_left:
                raise
            logger.info("another run of this shard put its photos in place, which are taken over: path=%s", path)
    pieces.remove()
    lake.delete(staged_folder)
    logger.info("photos path=%s statuses=%s", path, dict(counts))
    return counts["ok"], computed


def fetch_into(
    pieces: PhotoPieces,
    keys: Sequence[tuple[str, str | None]],
    settings: Settings,
    path: str,
    on_progress: Callable[[str], None],
    *,
    allow_private_hosts: bool,
    photo_folder: Path | None,
) -> Generator[None]:
    """Fetch the photos that `pieces` lack, in any order, and add them; one step for each, and now and then one more."""
    from include.pipeline.source_access import photo_limits
    from include.sources.photos import stream_photos

    product_ids: dict[str, list[str]] = {}
    for product_id, url in keys:
        if url and (product_id, url) not in pieces:
            product_ids.setdefault(url, []).append(product_id)
    progress = _Progress(path, len(product_ids), on_progress)
    stream = stream_photos(
        product_ids, photo_limits(settings), allow_private_hosts=allow_private_hosts, photo_folder=photo_folder
    )
    for arrival in stream:
        if arrival:
            url, photo = arrival
            progress.count(photo.status)
            for product_id in product_ids[url]:
                pieces.add(_row(product_id, url, photo))
        progress.tell_if_due()
        pieces.write_if_due()
        yield
    progress.end()


def _packed(
    lake: Lake,
    path: str,
    keys: Sequence[tuple[str, str | None]],
    pieces: PhotoPieces,
    fetching: Iterator[None],
    counts: Counter[str],
) -> Iterator[tuple[str, bytes]]:
    """Write the shard's file in the products' order as photos come in; gives hash and bytes of each photo."""
    with lake.parquet_writer(path, IMAGES) as writer:
        for rows in _groups(_rows(keys, pieces, fetching)):
            writer.write_table(pa.Table.from_pylist(rows, schema=IMAGES))
            for row in rows:
                counts[row["status"]] += 1
                if row["status"] == "ok":
                    yield row["sha256"], row["bytes"]
        for _ in fetching:  # it has nothing left but its end
            pass


def _rows(keys: Sequence[tuple[str, str | None]], pieces: PhotoPieces, fetching: Iterator[None]) -> Iterator[Row]:
    for product_id, url in keys:
        if not url:
            yield dict.fromkeys(IMAGES.names) | {"product_id": product_id, "image_url": url, "status": "no_url"}
            continue
        while (product_id, url) not in pieces:
            next(fetching)
        yield pieces.row((product_id, url))


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows of one row group after the other: `PHOTO_CHUNK`, or fewer where they would fill memory."""
    group: list[Row] = []
    size = 0
    for row in rows:
        group.append(row)
        size += len(row["bytes"] or b"")
        if len(group) == PHOTO_CHUNK or size >= CHUNK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _row(product_id: str, url: str, photo: Photo) -> Row:
    return {
        "product_id": product_id,
        "image_url": url,
        "status": photo.status,
        "sha256": photo.sha256,
        "width": photo.width,
        "height": photo.height,
        "bytes": photo.content,
    }


class _Progress:
    """Reports every few seconds, in the log and to a listener, how many of a shard's photos are there."""

    def __init__(self, path: str, wanted: int, listener: Callable[[str], None]) -> None:
        self._path = path
        self._wanted = wanted
        self._listener = listener
        self._statuses: Counter[str] = Counter()
        self._begun = self._told = time.monotonic()

    def count(self, status: str) -> None:
        self._statuses[status] += 1

    def tell_if_due(self) -> None:
        if time.monotonic() - self._told < PROGRESS_SECONDS:
            return
        self._told = time.monotonic()
        done, seconds = self._statuses.total(), self._told - self._begun
        logger.info(
            "fetching photos: path=%s done=%d of=%d per_second=%.1f statuses=%s",
            self._path, done, self._wanted, done / seconds, dict(self._statuses),
        )  # fmt: skip
        missing = done - self._statuses["ok"]
        self._listener(f"photos: {done:,} of {self._wanted:,}, {done / seconds:.0f} a second, {missing:,} missing")

    def end(self) -> None:
        if self._wanted:
            logger.info(
                "fetched photos: path=%s wanted=%d seconds=%.0f statuses=%s",
                self._path, self._wanted, time.monotonic() - self._begun, dict(self._statuses),
            )  # fmt: skip
