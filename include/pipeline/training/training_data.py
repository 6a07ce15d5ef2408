"""Rows of a training snapshot as a training set: with cleaned texts, and their photos' embeddings from the cache."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from include.features.cache import EmbeddingCache
from include.models.data.snapshot import Snapshot, read_snapshot
from include.pipeline.text_features import documents_of
from include.pipeline.training.snapshot import take_snapshot
from include.schema import text_hash
from include.settings import Settings
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.engine import open_engine
from include.warehouse.locks import exclusive_lock

if TYPE_CHECKING:
    from include.features.image import ImageEncoder
    from include.models.data.dataset import TrainingSet

logger = logging.getLogger(__name__)


def snapshot_of_today(settings: Settings, as_of: date | None = None) -> Snapshot:
    """The trusted labels of all products as of now (or the end of a day), divided into training and gold."""
    lake = Lake(settings.lake_root)
    with open_engine(settings.warehouse_dsn) as engine, exclusive_lock(engine, "decision"):
        summary = take_snapshot(settings, as_of or datetime.now(UTC).date())
    return read_snapshot(lake, summary["snapshot"])


def training_set(rows: pa.Table, settings: Settings, image_encoder: str | None = None) -> TrainingSet:
    """Rows of `SNAPSHOT` with what an encoder of photos makes of them; what is not embedded yet is embedded.

    `image_encoder` is a setting that loads one; None takes that of the settings.
    """
    from include.models.data.dataset import TrainingSet
    from include.pipeline.encoders import configured_image_encoder

    spec = image_encoder or settings.image_encoder
    lake = Lake(settings.lake_root)
    encoder = configured_image_encoder(spec, settings)
    photo_hashes = rows["photo_sha256"].to_pylist()
    cache = EmbeddingCache(lake, encoder.identity, encoder.dimensions)
    embed_packed_photos(lake, cache, encoder, photo_hashes)
    documents = documents_of(rows)
    return TrainingSet(
        product_ids=rows["product_id"].to_pylist(),
        documents=documents,
        text_hashes=[text_hash(text) if text else None for text in documents],
        photo_hashes=photo_hashes,
        image_vectors=cache.get(photo_hashes)[0],
        labels=rows["label"].to_pylist(),
        origins=rows["origin"].to_pylist(),
        rule_labels=rows["rule_label"].to_pylist(),
        names=rows["name"].to_pylist(),
        image_encoder_spec=spec,
        image_encoder_identity=encoder.identity,
    )


def embed_packed_photos(
    lake: Lake,
    cache: EmbeddingCache,
    encoder: ImageEncoder,
    hashes: Sequence[str | None],
    folders: Sequence[str] = (Layer.IMAGES,),
) -> int:
    """Embed the packed photos of the given hashes that were embedded by another encoder only; returns how many.

    They are looked for in `folders` of the lake; one that is in none of them stays without an embedding.
    """
    from include.features.embed import embed_missing_photos

    missing = cache.missing(hashes)
    embedded = embed_missing_photos(cache, encoder, packed_photos(lake, missing, folders))
    if embedded:
        logger.info("embedded packed photos: encoder=%s computed=%d", encoder.identity, embedded)
    return embedded


def packed_photos(
    lake: Lake, hashes: Sequence[str], folders: Sequence[str] = (Layer.IMAGES,)
) -> Iterator[tuple[str, bytes]]:
    """Hash and bytes of the photos of the given hashes that are packed in the lake, each once, one at a time."""
    wanted = set(hashes)
    paths = (path for folder in folders for path in lake.list_files(folder, ".parquet"))
    for path in paths if wanted else ():
        with lake.parquet_file(path) as file:
            for number in range(file.num_row_groups):
                found = wanted.intersection(file.read_row_group(number, ["sha256"])["sha256"].to_pylist())
                if not found:
                    continue
                table = file.read_row_group(number, ["sha256", "bytes"])
                for row in table.filter(pc.is_in(table["sha256"], value_set=pa.array(found))).to_pylist():
                    if row["sha256"] in wanted:
                        wanted.discard(row["sha256"])
                        yield row["sha256"], row["bytes"]
        if not wanted:
            return


def days_of_photos(lake: Lake, photos: Sequence[tuple[str, str | None]]) -> list[date | None]:
    """The newest day in whose batch the lake has each photo, given by source and hash; None where it has none."""
    wanted = pa.array({photo for _, photo in photos if photo}, pa.string())
    found: dict[tuple[str, str], date] = {}
    for path in lake.list_files(Layer.IMAGES, ".parquet") if len(wanted) else ():
        hashes = lake.read_parquet(path, ["sha256"])["sha256"]
        source, day = (part.partition("=")[2] for part in path.split("/")[1:3])
        for photo in hashes.filter(pc.is_in(hashes, value_set=wanted)).unique().to_pylist():
            found[source, photo] = max(date.fromisoformat(day), found.get((source, photo), date.min))
    return [None if photo is None else found.get((source, photo)) for source, photo in photos]
