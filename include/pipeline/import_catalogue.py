"""Bring in a labelled catalogue: its products, its photos, and the labels that training may trust."""

from __future__ import annotations

import logging
import time
from datetime import date
from pathlib import Path
from typing import TypedDict

from include.errors import CatalogueRefused
from include.pipeline.daily.earlier_batches import stored_products
from include.pipeline.daily.embed import pack_and_embed_photos
from include.pipeline.daily.publish import trusted_labels_of_day
from include.pipeline.daily.shards import remove_surplus_photos, shard_count
from include.pipeline.daily.validate import validate_records
from include.pipeline.encoders import configured_image_encoder
from include.progress import with_progress
from include.record_guard import RecordGuard
from include.settings import Settings
from include.sources.catalogue import ColumnMapping, open_catalogue
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)


class ImportSummary(TypedDict):
    """What an imported file brought."""

    source: str
    day: str
    received: int
    products: int
    quarantined: int
    reasons: dict[str, int]
    photos: int
    training_labels: int
    report: str
    seconds: float


def import_catalogue(
    path: Path,
    day: date,
    settings: Settings,
    *,
    source: str | None = None,
    kind: str | None = None,
    mapping: ColumnMapping | None = None,
    allow_empty: bool = False,
) -> ImportSummary:
    """Import a catalogue file as the source `source` (the file's name by default) under `day`.

    Products, quarantine, photos and their embeddings land in the lake, trusted labels in the warehouse.
    Importing the same file again leaves the same rows. Raises CatalogueRefused before anything is written
    if the file cannot be read whole, BatchRejected if it breaks a batch rule. Without `allow_empty` both are raised,
    too, where all photos or all products of an earlier import of that source and day would go.
    """
    started = time.monotonic()
    lake = Lake(settings.lake_root)
    catalogue = open_catalogue(path, mapping=mapping, source=source, kind=kind)
    batch = Batch(catalogue.source, day)
    if catalogue.photo_folder is None and not allow_empty:
        _refuse_loss_of_photos(lake, path, batch)
    # The sound rows of a damaged file are worth having; whoever imports it sees how many were set aside.
    lenient = settings.model_copy(update={"max_rejected_share": 1.0})
    with RecordGuard(catalogue.source) as guard:
        validated = validate_records(
            with_progress(catalogue.read(guard), f"read rows of {path.name}"),
            batch,
            lenient,
            is_feed=False,
            stored=stored_products(lake, batch),
            allow_empty=allow_empty,
            guard=guard,
        )
    photos = _pack_photos(lake, batch, catalogue.photo_folder, settings)
    taxonomy = load_taxonomy()
    trusted = trusted_labels_of_day(lake, batch, taxonomy)

    from include.warehouse.batches import BatchRecord, record_batch
    from include.warehouse.engine import open_engine
    from include.warehouse.loading import load_import

    summary = ImportSummary(
        source=catalogue.source,
        day=day.isoformat(),
        received=validated["received"],
        products=validated["products"],
        quarantined=validated["quarantined"],
        reasons=validated["reasons"],
        photos=photos,
        training_labels=trusted.num_rows if trusted is not None else 0,
        report=validated["report"],
        seconds=round(time.monotonic() - started, 3),
    )
    with open_engine(settings.warehouse_dsn) as engine:
        quarantine_path = batch.file(Layer.QUARANTINE)
        load_import(engine, lake, catalogue.source, day, quarantine_path=quarantine_path, trusted=trusted)
        record_batch(engine, BatchRecord.of_import(catalogue.source, day, summary))
    logger.info("imported path=%s %s", path, summary)
    return summary


def _refuse_loss_of_photos(lake: Lake, path: Path, batch: Batch) -> None:
    stored = sum(
        lake.read_parquet(file, ["status"])["status"].to_pylist().count("ok")
        for file in lake.list_files(batch.folder(Layer.IMAGES), ".parquet")
    )
    if stored:
        raise CatalogueRefused(
            f"{path.name}: an earlier import of {batch} has {stored:,} photos, and there is no folder `images` "
            "beside the file now: nothing was imported. Put the folder there, or confirm that they are to go: "
            f"`python -m include import PATH --day {batch.day} --source {batch.source} --allow-empty`"
        )


def _pack_photos(lake: Lake, batch: Batch, photo_folder: Path | None, settings: Settings) -> int:
    """Pack and embed the photos of every shard; returns how many photos there are.

    Without a photo folder those of an earlier import of the day are removed: they belong to its rows.
    """
    remove_surplus_photos(lake, batch)
    if photo_folder is None:
        lake.delete(batch.folder(Layer.IMAGES))
        logger.warning(
            "no photos: source=%s day=%s: there is no folder `images` beside the file", batch.source, batch.day
        )
        return 0
    encoder = configured_image_encoder(settings.image_encoder, settings)
    packed = 0
    for number in range(shard_count(lake, batch)):
        with lake.parquet_file(batch.file(Layer.PRODUCTS)) as file:
            products = file.read_row_group(number, columns=["product_id", "image_url"])
        path = batch.file(Layer.IMAGES, number)
        wanted, _computed = pack_and_embed_photos(lake, path, products, encoder, settings, photo_folder=photo_folder)
        packed += wanted
    return packed
