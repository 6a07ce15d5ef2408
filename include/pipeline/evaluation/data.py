"""The products that an evaluation is about: read, validated and embedded as training would, in a lake of their own.

Nothing here touches the platform's lake, its warehouse or its models. The lake is kept under the state folder, so that
photos are embedded once per encoder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from include.features.cache import EmbeddingCache
from include.pipeline.catalogue_files import CatalogueFile, replay_catalogues
from include.pipeline.daily.embed import pack_and_embed_photos
from include.pipeline.daily.publish import trusted_labels_of_day
from include.pipeline.daily.shards import remove_surplus_photos, shard_count
from include.pipeline.daily.validate import validate_records
from include.pipeline.text_features import documents_of
from include.pipeline.training.training_data import embed_packed_photos
from include.schema import LABEL_ORIGINS, text_hash
from include.settings import Settings
from include.sources.catalogue import open_catalogue
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from include.models.data.dataset import TrainingSet

logger = logging.getLogger(__name__)

DAY = date(2026, 1, 1)
"""All files are read under one day: an evaluation has no history."""
DRAWN = "demo_catalogue"
_COLUMNS = ("product_id", "native_id", "name", "brand", "description", "ingredients", "language", "source_category")


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """All products of the files, in their order; every column has one entry per product."""

    name: str
    """Source of the catalogue that cross-validation is about; the first file."""
    is_drawn: bool
    products: pa.Table
    """Columns of `schema.PRODUCTS` that evaluation needs, and `source`."""
    documents: list[str]
    photo_hashes: list[str | None]
    photo_files: list[Path | None]
    """Where a photo came from; None without one."""
    labels: list[str | None]
    """The trusted label of the strongest origin, None without one."""
    origins: list[str | None]
    rule_labels: list[str | None]
    """The rule labels, whatever the origin of the label."""
    lake: Lake
    """Where the records and embeddings of evaluations are kept."""
    encoders: dict[str, tuple[str, str, np.ndarray]]
    """Name → setting, identity, and vectors float32 (products, dimensions) with NaN where there is no photo."""

    def column(self, name: str) -> list[str | None]:
        """A column of the products as a list."""
        values: list[str | None] = self.products[name].to_pylist()
        return values

    def training_set(
        self,
        rows: np.ndarray,
        encoder: str = "default",
        *,
        labels: Sequence[str] | None = None,
        vectors: np.ndarray | None = None,
    ) -> TrainingSet:
        """Some products (int64 positions) with their trusted labels, or with `labels` given by people.

        `vectors` are embeddings of all products' photos by another encoder than those at hand.
        """
        from include.models.data.dataset import TrainingSet

        spec, identity, known_vectors = self.encoders[encoder]
        vectors = known_vectors if vectors is None else vectors
        documents = [self.documents[row] for row in rows]
        ids = self.products["product_id"].take(pa.array(rows, pa.int64())).to_pylist()
        return TrainingSet(
            product_ids=ids,
            documents=documents,
            text_hashes=[text_hash(text) if text else None for text in documents],
            photo_hashes=[self.photo_hashes[row] for row in rows],
            image_vectors=vectors[rows],
            labels=list(labels) if labels is not None else [self.labels[row] or "" for row in rows],
            origins=["human"] * len(rows) if labels is not None else [self.origins[row] or "" for row in rows],
            rule_labels=[self.rule_labels[row] for row in rows],
            image_encoder_spec=spec,
            image_encoder_identity=identity,
        )


def joined(first: TrainingSet, second: TrainingSet) -> TrainingSet:
    """The rows of both, in order; they must be of one encoder."""
    return replace(
        first,
        product_ids=[*first.product_ids, *second.product_ids],
        documents=[*first.documents, *second.documents],
        text_hashes=[*first.text_hashes, *second.text_hashes],
        photo_hashes=[*first.photo_hashes, *second.photo_hashes],
        image_vectors=np.concatenate([first.image_vectors, second.image_vectors]),
        labels=[*first.labels, *second.labels],
        origins=[*first.origins, *second.origins],
        rule_labels=[*(first.rule_labels or ()), *(second.rule_labels or ())],
    )


def load_evaluation_data(
    folder: Path | None, settings: Settings, encoders: dict[str, str], on_step: Callable[[str], None]
) -> EvaluationData:
    """Read a folder of real records, or the drawn demo catalogue without a folder.

    `encoders` has the setting of each photo encoder by name. Raises ConfigurationError when the folder is something
    else, CatalogueRefused when a file cannot be read.
    """
    from include.models.decision.written_rules import rule_labels

    home = settings.state_dir / "evaluation" / ("real" if folder else "drawn")
    settings = settings.model_copy(update={"lake_url": str(home / "lake"), "max_rejected_share": 1.0})
    lake = Lake(settings.lake_root)
    files = replay_catalogues(folder) if folder else [_drawn_catalogue(home)]
    parts = []
    for file in files:
        part = _read_file(lake, file, settings, encoders["default"])
        parts.append(part)
        on_step(
            f"{file.path.name}: {part.num_rows} products, {part['sha256'].length() - part['sha256'].null_count} photos"
        )
    products = pa.concat_tables(parts)
    photo_hashes: list[str | None] = products["sha256"].to_pylist()
    vectors = {name: photo_vectors(lake, spec, photo_hashes, settings) for name, spec in encoders.items()}
    return EvaluationData(
        name=files[0].source,
        is_drawn=folder is None,
        products=products,
        documents=documents_of(products),
        photo_hashes=photo_hashes,
        photo_files=[Path(path) if path else None for path in products["photo_file"].to_pylist()],
        labels=products["label"].to_pylist(),
        lake=lake,
        origins=products["origin"].to_pylist(),
        rule_labels=rule_labels(products),
        encoders=vectors,
    )


def _drawn_catalogue(home: Path) -> CatalogueFile:
    from include.sandbox import write_demo_catalogue

    return CatalogueFile(write_demo_catalogue(home / "catalogue"), DRAWN)


def _read_file(lake: Lake, file: CatalogueFile, settings: Settings, encoder_spec: str) -> pa.Table:
    """The valid products of a file, with the columns source, sha256, photo_file, label and origin added."""
    from include.pipeline.encoders import configured_image_encoder

    catalogue = open_catalogue(file.path, source=file.source, kind=file.kind)
    batch = Batch(file.source, DAY)
    validate_records(catalogue.read(), batch, settings, is_feed=False)
    remove_surplus_photos(lake, batch)
    hashes: dict[str, str] = {}
    if catalogue.photo_folder is not None:
        encoder = configured_image_encoder(encoder_spec, settings)
        for number in range(shard_count(lake, batch)):
            path = batch.file(Layer.IMAGES, number)
            with lake.parquet_file(batch.file(Layer.PRODUCTS)) as stream:
                shard = stream.read_row_group(number, columns=["product_id", "image_url"])
            pack_and_embed_photos(lake, path, shard, encoder, settings, photo_folder=catalogue.photo_folder)
            photos = lake.read_parquet(path, ["product_id", "sha256"]).drop_null()
            hashes |= dict(zip(photos["product_id"].to_pylist(), photos["sha256"].to_pylist(), strict=True))
    table = lake.read_parquet(batch.file(Layer.PRODUCTS), [*_COLUMNS, "image_url"])
    ids, urls = table["product_id"].to_pylist(), table["image_url"].to_pylist()
    labels = _strongest_labels(trusted_labels_of_day(lake, batch, load_taxonomy()))
    files = [
        str(catalogue.photo_folder / url.lstrip("/")) if catalogue.photo_folder and product in hashes else None
        for product, url in zip(ids, urls, strict=True)
    ]
    added = {
        "source": [file.source] * len(ids),
        "sha256": [hashes.get(product) for product in ids],
        "photo_file": files,
        "label": [labels.get(product, (None, None))[0] for product in ids],
        "origin": [labels.get(product, (None, None))[1] for product in ids],
    }
    for name, values in added.items():
        table = table.append_column(name, pa.array(values, pa.string()))
    return table.drop_columns(["image_url"])


def _strongest_labels(trusted: pa.Table | None) -> dict[str, tuple[str, str]]:
    """Product id → label and origin, of the strongest origin that gives it one."""
    if trusted is None:
        return {}
    rows = [trusted[name].to_pylist() for name in ("product_id", "label", "origin")]
    weakest_first = sorted(zip(*rows, strict=True), key=lambda row: -LABEL_ORIGINS.index(row[2]))
    return {product: (label, origin) for product, label, origin in weakest_first}


def photo_vectors(
    lake: Lake, spec: str, photo_hashes: Sequence[str | None], settings: Settings
) -> tuple[str, str, np.ndarray]:
    """Setting, identity, and vectors of the photos in the lake, NaN where there is no photo."""
    from include.pipeline.encoders import configured_image_encoder

    encoder = configured_image_encoder(spec, settings)
    cache = EmbeddingCache(lake, encoder.identity, encoder.dimensions)
    embed_packed_photos(lake, cache, encoder, photo_hashes)
    return spec, encoder.identity, cache.get(photo_hashes)[0]
