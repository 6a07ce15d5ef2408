"""Step 3: embeddings of a shard's texts and photos, computed once per content and encoder."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import pyarrow as pa

from include.features.cache import EmbeddingCache
from include.pipeline.shard_model import shard_model
from include.pipeline.shards import Shard, read_shard, shard_day
from include.pipeline.text_readings import LAYER as READINGS_LAYER
from include.pipeline.text_readings import keep_readings, read_texts
from include.schema import IMAGES
from include.settings import Settings
from include.warehouse.lake import Lake

if TYPE_CHECKING:
    from include.features.image import ImageEncoder

logger = logging.getLogger(__name__)

PHOTO_CHUNK = 256
"""Photos held in memory at once; also the row group size of the packed photos."""

TRANSIENT_STATUSES = frozenset({"timeout", "unreachable", "private_address"})
"""Reasons for a missing photo that a rerun tries again: the network, or what the connection allows, may be another."""


class EmbeddingSummary(TypedDict):
    """How many embeddings a shard needed, and how many of them had to be computed."""

    wanted: int
    computed: int
    seconds: float


def embed_text(shard: Shard, settings: Settings) -> EmbeddingSummary:
    """Embed the texts of a shard with the pinned model's text encoder, as far as they are not cached.

    What is read of the texts is kept for `classify`.
    """
    from include.features.embed import embed_missing_texts

    started = time.monotonic()
    lake = Lake(settings.lake_root)
    encoder = shard_model(shard).text_encoder
    products = read_shard(lake, shard, ["content_hash", "name", "brand", "description", "ingredients"])
    readings, documents = read_texts(products)
    keep_readings(lake, Lake.day_file(READINGS_LAYER, shard["source"], shard_day(shard), shard["shard"]), readings)
    by_hash = {key: text for key, text in zip(readings["text_hash"].to_pylist(), documents, strict=True) if key}
    computed = embed_missing_texts(EmbeddingCache(lake, encoder.identity), encoder, by_hash)
    wanted = readings.num_rows - readings["text_hash"].null_count
    return _summary("text", shard, wanted, computed, started)


def embed_images(shard: Shard, settings: Settings, *, allow_private_hosts: bool = False) -> EmbeddingSummary:
    """Fetch the photos of a shard, pack them in the lake, and embed those that are not cached."""
    from include.features.image import load_image_encoder

    started = time.monotonic()
    lake = Lake(settings.lake_root)
    artefact = shard_model(shard)
    encoder = load_image_encoder(artefact.image_encoder_spec, settings)
    artefact.check_image_encoder(encoder.identity)
    products = read_shard(lake, shard, ["product_id", "image_url"])
    path = Lake.day_file("images", shard["source"], shard_day(shard), shard["shard"])
    wanted, computed = pack_and_embed_photos(
        lake, path, products, encoder, settings, allow_private_hosts=allow_private_hosts
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
) -> tuple[int, int]:
    """Write one file of packed photos for `products` and embed them; returns (photos, newly embedded).

    Photos of an earlier run whose URL is the same are taken over, so that a rerun asks the network only
    for what failed for a reason that may have passed. A photo that a folder did not have is looked for again.
    """
    from include.features.embed import embed_missing_photos

    counts: Counter[str] = Counter()

    def pack() -> Iterator[tuple[str, bytes]]:
        with lake.parquet_writer(path, IMAGES) as writer:
            for rows in photo_chunks(lake, path, products, settings, allow_private_hosts, photo_folder):
                writer.write_table(pa.Table.from_pylist(rows, schema=IMAGES))
                for row in rows:
                    counts[row["status"]] += 1
                    if row["status"] == "ok":
                        yield row["sha256"], row["bytes"]

    computed = embed_missing_photos(EmbeddingCache(lake, encoder.identity), encoder, pack())
    logger.info("photos path=%s statuses=%s", path, dict(counts))
    return counts["ok"], computed


def photo_chunks(
    lake: Lake,
    path: str,
    products: pa.Table,
    settings: Settings,
    allow_private_hosts: bool,
    photo_folder: Path | None,
) -> Iterator[list[dict[str, Any]]]:
    """Rows of `schema.IMAGES` for the products, in order, a chunk at a time."""
    from include.sources.photos import fetch_photos

    for number, start in enumerate(range(0, products.num_rows, PHOTO_CHUNK)):
        chunk = products.slice(start, PHOTO_CHUNK)
        product_ids = chunk["product_id"].to_pylist()
        urls = chunk["image_url"].to_pylist()
        kept = _photos_of_earlier_run(lake, path, number)
        if photo_folder is not None:
            kept = {product_id: row for product_id, row in kept.items() if row["status"] == "ok"}
        rows: list[dict[str, Any] | None] = [
            row if row and row["image_url"] == url else None
            for row, url in zip((kept.get(product_id) for product_id in product_ids), urls, strict=True)
        ]
        absent = [index for index, row in enumerate(rows) if row is None]
        photos = fetch_photos(
            [urls[index] for index in absent],
            settings,
            allow_private_hosts=allow_private_hosts,
            photo_folder=photo_folder,
        )
        for index, photo in zip(absent, photos, strict=True):
            rows[index] = {
                "product_id": product_ids[index],
                "image_url": urls[index],
                "status": photo.status,
                "sha256": photo.sha256,
                "width": photo.width,
                "height": photo.height,
                "bytes": photo.content,
            }
        yield [row for row in rows if row is not None]


def _photos_of_earlier_run(lake: Lake, path: str, row_group: int) -> dict[str, dict[str, Any]]:
    """Photos that an earlier run of the same shard packed, by product id, without transient failures."""
    if not lake.exists(path):
        return {}
    with lake.parquet_file(path) as file:
        if row_group >= file.num_row_groups:
            return {}
        rows = file.read_row_group(row_group).to_pylist()
    return {row["product_id"]: row for row in rows if row["status"] not in TRANSIENT_STATUSES}
