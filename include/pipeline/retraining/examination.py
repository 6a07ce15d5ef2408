"""What a candidate is like in use, whatever its scores: how it behaves, how long it takes, how large it is."""

from __future__ import annotations

import logging
import statistics
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from include.features.image.loading import encoder_files
from include.models.behaviour.checks import BehaviourCheck, LabelledItem, check_behaviour
from include.models.data.snapshot import read_snapshot
from include.models.promotion.gate import Examination
from include.models.version.artefact import Artefact
from include.models.version.labelling import Item, Labeller
from include.models.version.registry import Registry
from include.pipeline.encoders import configured_image_encoder
from include.pipeline.retraining.gold import gold_products
from include.pipeline.training.training_data import packed_photos
from include.schema import text_hash
from include.settings import Settings
from include.storage.lake import Lake

logger = logging.getLogger(__name__)

CASES = 200
"""Gold products that behaviour is checked on at most: some ten changes of each are labelled again."""
TIMED = 64
"""Products in the batch that is timed."""
RUNS = 3


def examine(version: str, snapshot_number: str, settings: Settings) -> dict[str, Any]:
    """Behaviour, latency and size of a version, on gold products; as plain data for `examination_from`.

    Products are chosen by a hash, the same ones in every run. Call it where nothing else trains: it measures time.
    """
    lake = Lake(settings.lake_root)
    artefact = Artefact.load(Registry(settings.tracking_uri, settings.state_dir).get(version).path)
    gold = gold_products(read_snapshot(lake, snapshot_number), settings).table
    order = sorted(range(gold.num_rows), key=lambda row: text_hash(gold["product_id"][row].as_py()))
    products = labelled_items(lake, gold.take(pa.array(order[:CASES], pa.int64())))
    encoder = None
    if artefact.photo_classifier is not None:
        encoder = configured_image_encoder(artefact.image_encoder_spec, settings)
    labeller = Labeller(artefact, encoder)
    found = Examination(
        latency_ms=round(latency_ms(labeller, [product.item for product in products[:TIMED]]), 4),
        size_mb=round(
            size_mb(Registry(settings.tracking_uri, settings.state_dir).get(version).path, artefact.image_encoder_spec),
            4,
        ),
        behaviour=tuple(check_behaviour(labeller, products)),
    )
    logger.info("examined version=%s latency_ms=%.2f size_mb=%.1f", version, found.latency_ms, found.size_mb)
    return asdict(found)


def examination_from(values: dict[str, Any]) -> Examination:
    """The examination of plain data, as it comes through XCom."""
    checks = [BehaviourCheck(**check | {"failures": tuple(check["failures"])}) for check in values["behaviour"]]
    return Examination(values["latency_ms"], values["size_mb"], tuple(checks))


def labelled_items(lake: Lake, rows: pa.Table) -> list[LabelledItem]:
    """Rows of `SNAPSHOT` as products with their label, their packed photo at hand; in the same order."""
    photos = dict(packed_photos(lake, rows["photo_sha256"].drop_null().to_pylist()))
    return [
        LabelledItem(
            Item(row["name"], row["brand"], row["description"], row["ingredients"], photos.get(row["photo_sha256"])),
            row["label"],
        )
        for row in rows.to_pylist()
    ]


def latency_ms(labeller: Labeller, items: list[Item]) -> float:
    """Milliseconds per product of labelling a batch from text and photo bytes; the median of three runs, 0 for none."""
    if not items:
        return 0.0
    labeller.label(items)  # what is loaded at first use is not the product's cost
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        labeller.label(items)
        taken.append(time.perf_counter() - started)
    return 1000 * statistics.median(taken) / len(items)


def size_mb(folder: Path, image_encoder_spec: str) -> float:
    """Megabytes (10^6 bytes) of an artefact's folder and of the photo encoder's files, wherever they are."""
    files = {path for path in folder.rglob("*") if path.is_file()}
    return sum(path.stat().st_size for path in files.union(encoder_files(image_encoder_spec))) / 1e6
