"""Train a model on all trusted labels and register it; the first model becomes champion."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import pyarrow as pa
import pyarrow.compute as pc

from include.errors import NoChampionError
from include.features.cache import EmbeddingCache
from include.pipeline.embed import documents_of
from include.schema import text_hash
from include.settings import Settings
from include.warehouse.lake import Lake

if TYPE_CHECKING:
    from include.features.image import ImageEncoder
    from include.models.dataset import TrainingSet
    from include.models.registry import ModelVersion
    from include.models.training_report import TrainingReport

logger = logging.getLogger(__name__)


TRAINING_RECORD = "reports/training.json"
"""File of the state folder with the newest training's report."""


class TrainingRecord(TypedDict):
    """The newest training, as `TRAINING_RECORD` holds it."""

    version: str
    products_by_source: dict[str, int]
    image_encoder: str
    """Setting that loads the photo encoder."""
    report: str
    """`TrainingReport` as JSON."""


class TrainSummary(TypedDict):
    """The registered version and how good it was out of fold."""

    version: str
    promoted: bool
    reused: bool
    dataset_hash: str
    report: str
    seconds: float


def train_model(settings: Settings, *, promote: bool = False) -> TrainSummary:
    """Train on the trusted labels of the warehouse, register the artefact, and promote it.

    It is promoted when `promote` asks for it or when there is no champion yet. If the champion was trained
    on exactly these rows with these settings, nothing is trained and the champion is returned (`reused`).
    The recipe is that of the last search (`python -m include search`) if it was found for these labels and encoders,
    else the default. Raises ConfigurationError if there are too few labels to train on.
    """
    from include.models.recipe import Recipe
    from include.models.registry import Registry
    from include.models.search.judging import kind_of
    from include.models.search.outcome import found_recipe
    from include.models.training import train

    started = time.monotonic()
    lake = Lake(settings.lake_root)
    registry = Registry(settings)
    dataset = load_training_set(lake, settings)
    recipe = found_recipe(settings.state_dir, kind_of(dataset, settings)) or Recipe()
    dataset_hash = dataset.fingerprint(settings, recipe)
    try:
        champion = registry.champion()
    except NoChampionError:
        champion = None
    if champion and registry.dataset_hash(champion.version) == dataset_hash and _is_sound(champion):
        logger.info("champion %s was trained on these rows already: dataset_hash=%s", champion.version, dataset_hash)
        return _summary(champion.version, False, True, dataset_hash, "", started)

    artefact, report = train(dataset, settings, recipe)
    with tempfile.TemporaryDirectory(prefix="cuvee-artefact-") as folder:
        artefact.save(Path(folder))
        version = registry.register(
            Path(folder),
            metrics=report.metrics(),
            params=report.params() | {"dataset_hash": dataset_hash},
            report=report.to_text(),
        )
    _keep_report(settings, version.version, dataset, report)
    promoted = promote or champion is None
    if promoted:
        registry.promote(version.version)
    return _summary(version.version, promoted, False, dataset_hash, report.to_text(), started)


def _keep_report(settings: Settings, version: str, dataset: TrainingSet, report: TrainingReport) -> None:
    """Leave what the model card tells of the newest training."""
    kept = TrainingRecord(
        version=version,
        products_by_source=dict(Counter(product_id.partition(":")[0] for product_id in dataset.product_ids)),
        image_encoder=dataset.image_encoder_spec,
        report=report.to_json(),
    )
    path = settings.state_dir / TRAINING_RECORD
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, sort_keys=True), encoding="utf-8")


def _is_sound(version: ModelVersion) -> bool:
    """Whether a version's artefact can be loaded; one that is damaged must be trained anew."""
    from include.models.artefact import Artefact

    try:
        Artefact.load(version.path)
    except NoChampionError as error:
        logger.warning("champion %s is trained again: %s", version.version, error)
        return False
    return True


def _summary(
    version: str, promoted: bool, reused: bool, dataset_hash: str, report: str, started: float
) -> TrainSummary:
    return TrainSummary(
        version=version,
        promoted=promoted,
        reused=reused,
        dataset_hash=dataset_hash,
        report=report,
        seconds=round(time.monotonic() - started, 3),
    )


def load_training_set(lake: Lake, settings: Settings) -> TrainingSet:
    """All products with a trusted label, as the newest day in the lake has them, with their photos' embeddings."""
    from include.features.image import load_image_encoder
    from include.models.dataset import TrainingSet
    from include.models.written_rules import rule_labels
    from include.warehouse.engine import open_engine
    from include.warehouse.queries import read_training_labels

    with open_engine(settings) as engine:
        trusted = read_training_labels(engine)  # product_id, label, origin: the strongest origin of each product
    products = newest_products(lake, trusted["product_id"])
    joined = trusted.join(products, keys="product_id", join_type="inner").sort_by("product_id")
    photo_hashes = newest_photo_hashes(lake, joined["product_id"])
    encoder = load_image_encoder(settings.image_encoder, settings)
    cache = EmbeddingCache(lake, encoder.identity)
    embed_packed_photos(lake, cache, encoder, photo_hashes)
    image_vectors, _present = cache.get(photo_hashes)
    documents = documents_of(joined)
    return TrainingSet(
        product_ids=joined["product_id"].to_pylist(),
        documents=documents,
        text_hashes=[text_hash(text) if text else None for text in documents],
        photo_hashes=photo_hashes,
        image_vectors=image_vectors,
        labels=joined["label"].to_pylist(),
        origins=joined["origin"].to_pylist(),
        rule_labels=rule_labels(joined),
        image_encoder_spec=settings.image_encoder,
        image_encoder_identity=encoder.identity,
    )


def embed_packed_photos(
    lake: Lake,
    cache: EmbeddingCache,
    encoder: ImageEncoder,
    hashes: Sequence[str | None],
    folders: Sequence[str] = ("images",),
) -> int:
    """Embed the packed photos of the given hashes that were embedded by another encoder only; returns how many.

    They are looked for in `folders` of the lake; one that is in none of them stays without an embedding.
    """
    from include.features.embed import embed_missing_photos

    wanted = set(cache.missing(hashes))

    def photos() -> Iterator[tuple[str, bytes]]:
        paths = (path for folder in folders for path in lake.list_files(folder, ".parquet"))
        for path in paths if wanted else ():
            with lake.parquet_file(path) as file:
                for number in range(file.num_row_groups):
                    found = wanted.intersection(file.read_row_group(number, ["sha256"])["sha256"].to_pylist())
                    if not found:
                        continue
                    table = file.read_row_group(number, ["sha256", "bytes"])
                    for row in table.filter(pc.is_in(table["sha256"], value_set=pa.array(found))).to_pylist():
                        yield row["sha256"], row["bytes"]
                    wanted.difference_update(found)

    embedded = embed_missing_photos(cache, encoder, photos())
    if embedded:
        logger.info("embedded packed photos: encoder=%s computed=%d", encoder.identity, embedded)
    return embedded


def newest_products(lake: Lake, product_ids: pa.ChunkedArray) -> pa.Table:
    """The texts of the given products as their newest day in the lake has them, one row per product."""
    columns = ["product_id", "name", "brand", "description", "ingredients"]
    wanted = product_ids.combine_chunks()
    tables = []
    # Days ascend within a source, and a product belongs to one source: the last row of an id is its newest.
    for path in lake.list_files("products", ".parquet"):
        table = lake.read_parquet(path, columns)
        tables.append(table.filter(pc.is_in(table["product_id"], value_set=wanted)))
    if not tables:
        return pa.table({name: pa.array([], pa.string()) for name in columns})
    table = pa.concat_tables(tables)
    position = pa.array(range(table.num_rows), pa.int64())
    last = table.append_column("position", position).group_by("product_id").aggregate([("position", "max")])
    return table.take(last["position_max"])


def newest_photo_hashes(lake: Lake, product_ids: pa.ChunkedArray) -> list[str | None]:
    """The newest photo's hash of each product, in the order given; None where it has no photo."""
    hashes: dict[str, str] = {}
    for path in lake.list_files("images", ".parquet"):
        table = lake.read_parquet(path, ["product_id", "sha256"]).drop_null()
        hashes.update(zip(table["product_id"].to_pylist(), table["sha256"].to_pylist(), strict=True))
    return [hashes.get(product_id) for product_id in product_ids.to_pylist()]
